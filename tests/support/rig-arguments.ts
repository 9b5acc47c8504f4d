/** What all rigs share as programs: which broker to judge, and being run at all. */
import fs from 'node:fs';
import { messageOf } from '../../runtime/base/errors.js';
import { javaLaunchers } from './java.js';
import type { Launchers } from './node-process.js';
import { commandLaunchers, removeFolder, ringmqLaunchers, temporaryFolder } from './node-process.js';

/** For `parseArgs`. */
export const launcherOptions = {
  /** A version of the Java reference. */
  java: { type: 'string' },
  /** Starts a name server in the foreground; `{port}` is replaced, else `-c FILE` with listenPort is added. */
  'namesrv-cmd': { type: 'string' },
  /** Starts a broker in the foreground; `-n ADDRESS -c FILE` is added. */
  'broker-cmd': { type: 'string' },
  /** A setting of the broker, key=value; may be repeated. */
  set: { type: 'string', multiple: true },
} as const;

export const launcherUsage = `
  --java VERSION            judge Java RocketMQ of that version (RINGMQ_REFERENCE names its launchers)
  --namesrv-cmd COMMAND     start the name server like this ({port} is replaced; without it -c FILE is added)
  --broker-cmd COMMAND      start the broker like this (-n ADDRESS -c FILE is added)
  --set KEY=VALUE           a setting of the broker; may be repeated
  Without a choice: bin/mqnamesrv and bin/mqbroker of this checkout.`;

/** What `parseArgs` read. */
type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** Errors: Error when what was asked for is not there. */
export function chooseLaunchers(values: Values): Launchers {
  const launchers = chooseMake(values);
  const set = Array.isArray(values.set) ? values.set.map(String) : [];
  if (set.some(setting => !/^\w+=/.test(setting))) throw new Error('--set takes KEY=VALUE');
  const settings = set.map(setting => [
    setting.slice(0, setting.indexOf('=')),
    setting.slice(setting.indexOf('=') + 1),
  ]);
  return { ...launchers, settings: { ...launchers.settings, ...Object.fromEntries(settings) } };
}

/** "ringmq" or a version of Java. Errors: Error when it is not there. */
export function launchersNamed(name: string): Launchers {
  const launchers = name === 'ringmq' ? ringmqLaunchers() : javaLaunchers(name);
  if (typeof launchers === 'string') throw new Error(launchers);
  if (!launchers) throw new Error('bin/mqnamesrv and bin/mqbroker are not there');
  return launchers;
}

function chooseMake(values: Values): Launchers {
  const { java, 'namesrv-cmd': nameServer, 'broker-cmd': broker } = values;
  if (typeof nameServer === 'string' && typeof broker === 'string') return commandLaunchers(nameServer, broker);
  if (nameServer !== undefined || broker !== undefined) throw new Error('--namesrv-cmd and --broker-cmd go together');
  return launchersNamed(typeof java === 'string' ? java : 'ringmq');
}

/** A whole number of an option. Errors: Error when it is none. */
export function wholeNumber(values: Values, name: string, least: number): number {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`--${name} takes a whole number from ${least}`);
  return value;
}

/**
 * Runs a rig in a folder of its own; with `keep` it stays when something was wrong.
 * Errors: what the rig throws, with the name of the folder.
 */
export async function inRigFolder<Result extends object>(
  keep: boolean,
  run: (folder: string) => Promise<Result>,
  isFaulty: (result: Result) => boolean,
): Promise<Result & { readonly folder?: string }> {
  const folder = temporaryFolder();
  let kept = false;
  try {
    const result = await run(folder);
    kept = keep && isFaulty(result);
    return kept ? { ...result, folder } : result;
  } catch (error) {
    kept = keep;
    throw new Error(`${messageOf(error)}${kept ? `\nkept: ${folder}` : ''}`, { cause: error });
  } finally {
    if (!kept) removeFolder(folder);
  }
}

/** Runs `main` when node was started with this file; an error becomes a line and exit code 1. */
export function runAsProgram(filename: string, main: () => Promise<void>): void {
  const program = process.argv[1];
  // Through a link as well: node resolves the module, not argv.
  if (!program || !fs.existsSync(program) || fs.realpathSync(program) !== filename) return;
  main().catch(error => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });
}
