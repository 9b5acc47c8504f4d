/**
 * Failures in words for people: what went wrong, and what to do next.
 */
import { MQClientError } from '../client/errors.js';
import { brokerSchema, ConfigError, type ConfigIssue, formatIssue, namesrvSchema } from '../config/index.js';
import { RingError } from '../runtime/base/errors.js';
import { ExitCode } from './exit-codes.js';

/** A failure with everything a program says about it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** What to do next, one sentence a line. */
  readonly advice: readonly string[];

  constructor(message: string, exitCode: ExitCode, advice: readonly string[] = [], options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/**
 * Any failure as one that can be shown. `namesrvAlone`: no broker is in the process, and listenPort is the name
 * server's.
 */
export function explain(error: unknown, namesrvAlone = false): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError) return explainConfig(error);
  if (error instanceof RingError) return explainFault(error, namesrvAlone);
  if (error instanceof MQClientError) return explainClient(error);
  // Not one of ours: a bug, and the place is what helps to find it.
  const place = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CliError(`unexpected failure: ${place}`, ExitCode.NOT_STARTED, [], { cause: error });
}

function explainConfig(error: ConfigError): CliError {
  const { issues } = error;
  const missing = issues.find(({ key }) => key === '');
  if (missing !== undefined) {
    const advice = ['Give the path of a .properties file; `ringmq start --help` lists the ones that come along.'];
    return new CliError(formatIssue(missing), ExitCode.NOT_STARTED, advice, { cause: error });
  }
  const known = (key: string): boolean => brokerSchema.canonical.has(key) || namesrvSchema.canonical.has(key);
  const keys = [...new Set(issues.map(({ key }) => key))].filter(known).slice(0, 3);
  const count = issues.length === 1 ? 'One value' : `${issues.length} values`;
  const message = `${count} cannot be used:\n${issues.map(issue => `  ${formatIssue(issue)}`).join('\n')}`;
  const more =
    keys.length === 0 ? '`ringmq config` lists the keys' : `\`ringmq config ${keys.join(' ')}\` says what is allowed`;
  const advice = [`Correct ${issues.length === 1 ? 'it' : 'them'}; ${more}.`];
  return new CliError(message, exitCodeOf(issues), advice, { cause: error });
}

/** Source: spec/properties.md sections 2 and 9. */
function exitCodeOf(issues: readonly ConfigIssue[]): ExitCode {
  if (issues.some(({ key }) => key === 'namesrvAddr' || key === 'brokerId')) return ExitCode.NOT_INITIALISED;
  return issues.every(({ source }) => source === 'set') ? ExitCode.BAD_COMMAND_LINE : ExitCode.NOT_STARTED;
}

function explainFault(error: RingError, namesrvAlone: boolean): CliError {
  const show = (exitCode: ExitCode, ...advice: string[]): CliError =>
    new CliError(error.message, exitCode, advice, { cause: error });
  switch (error.code) {
    case 'STORE_LOCKED':
      // The message says what to do.
      return show(ExitCode.NOT_STARTED);
    case 'LISTEN_FAILED':
      return show(ExitCode.NOT_STARTED, listenAdvice(error, namesrvAlone));
    case 'STORE_CORRUPT':
      return show(
        ExitCode.NOT_INITIALISED,
        'Keep a copy of the store, then correct what is named above, or start with an empty folder.',
      );
    case 'DISK_READ_FAILED':
    case 'DISK_WRITE_FAILED':
      return show(
        ExitCode.NOT_INITIALISED,
        'Check that the folder exists, is writable for this user and has space left.',
      );
    default:
      return show(ExitCode.NOT_STARTED);
  }
}

const portKeys: Readonly<Record<string, string>> = {
  namesrv: 'namesrvListenPort',
  broker: 'listenPort',
  vip: 'listenPort',
};

function listenAdvice({ facts, cause }: RingError, namesrvAlone: boolean): string {
  const port = String(facts.port);
  switch ((cause as { code?: string } | undefined)?.code) {
    case 'EADDRINUSE': {
      const key = namesrvAlone ? 'listenPort' : (portKeys[String(facts.kind)] ?? 'listenPort');
      const why = facts.kind === 'vip' ? ` (a broker also uses listenPort - 2 = ${port}, for old clients)` : '';
      return `Another process uses port ${port}${why}: stop it, or choose another port with --set ${key}=PORT.`;
    }
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${facts.host} is no address of this machine: correct bindAddress, or use 0.0.0.0 for all of them.`;
    case 'EACCES':
      return `This user may not listen on port ${port}: choose one above 1023.`;
    default:
      return 'Correct the keys bindAddress and listenPort.';
  }
}

const whereToLook = [
  'Is it running there? `ringmq start` starts a node on this machine;',
  '-n HOST:PORT, or NAMESRV_ADDR in the environment, says where the name server of another one is.',
];

const clientAdvice: Readonly<Partial<Record<MQClientError['code'], readonly string[]>>> = {
  CONNECT_FAILED: whereToLook,
  CONNECTION_CLOSED: whereToLook,
  REQUEST_TIMEOUT: whereToLook,
  NO_ROUTE: ['`ringmq topic list` shows the topics there are, `ringmq cluster list` the brokers.'],
  BAD_ANSWER: ['Is that the address of a RocketMQ name server or broker?'],
};

function explainClient(error: MQClientError): CliError {
  return new CliError(error.message, ExitCode.FAILED, clientAdvice[error.code] ?? [], { cause: error });
}

/** The lines a failure is shown with. */
export function failureText(program: string, error: CliError): string {
  return [`${program}: ${error.message}`, ...error.advice].join('\n');
}
