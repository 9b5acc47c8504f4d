/** What rigs that kill brokers under load share: their options, their folder, their topics. */
import { parseArgs } from 'node:util';
import type { TopicShape } from './load.js';
import type { Launchers } from './node-process.js';
import { RawClient } from './raw-client.js';
import { createTopic } from './raw-requests.js';
import { chooseLaunchers, launcherOptions, launcherUsage, wholeNumber } from './rig-arguments.js';

export interface KillRigOptions {
  readonly launchers: Launchers;
  readonly cycles: number;
  readonly seed: number;
  readonly connections: number;
  /** Sends in flight on each connection. */
  readonly window: number;
  /** A kill comes at a random moment up to so long after things work. Units: ms. */
  readonly loadMs: number;
  /** Keeps the folder of stores and logs when something was wrong. */
  readonly keep: boolean;
  readonly log: (line: string) => void;
}

const killRigOptions = {
  ...launcherOptions,
  cycles: { type: 'string' },
  seed: { type: 'string', default: '1' },
  connections: { type: 'string', default: '4' },
  window: { type: 'string', default: '8' },
  'load-ms': { type: 'string', default: '1500' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function killRigUsage(name: string, cycles: number): string {
  return `usage: ${name} [options]
  --cycles ${cycles}, --seed 1, --connections 4, --window 8, --load-ms 1500
  --keep                    keep stores and logs when something was wrong${launcherUsage}`;
}

/** Errors: Error for a number that is none, and for launchers that are not there. */
function killRigOptionsOf(
  values: Parameters<typeof chooseLaunchers>[0] & { readonly cycles?: string | undefined; readonly keep: boolean },
  cycles: number,
): KillRigOptions {
  return {
    launchers: chooseLaunchers(values),
    cycles: values.cycles === undefined ? cycles : wholeNumber(values, 'cycles', 1),
    seed: wholeNumber(values, 'seed', 0),
    connections: wholeNumber(values, 'connections', 1),
    window: wholeNumber(values, 'window', 1),
    loadMs: wholeNumber(values, 'load-ms', 1),
    keep: values.keep,
    log: line => console.log(line),
  };
}

/** What `parseArgs` read of the options of one rig alone. */
export type ExtraValues = Readonly<Record<string, unknown>>;

/** A rig as a program: what it prints, and how it ends. */
export interface KillRigProgram<Result> {
  readonly name: string;
  /** As many unless told. */
  readonly cycles: number;
  /** Options this rig has and others have not, for `parseArgs`, and their lines of the usage. */
  readonly extra?: {
    readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly default?: string }>>;
    readonly usage: string;
  };
  run(options: KillRigOptions, values: ExtraValues): Promise<Result>;
  format(result: Result): string;
  faultCount(result: Result): number;
}

/** Runs a rig with the arguments of this process; a fault makes it end with 1. */
export async function runKillRig<Result>(program: KillRigProgram<Result>): Promise<void> {
  const { values } = parseArgs({ options: { ...program.extra?.options, ...killRigOptions } });
  if (values.help) {
    console.log(killRigUsage(program.name, program.cycles) + (program.extra?.usage ?? ''));
    return;
  }
  const result = await program.run(killRigOptionsOf(values, program.cycles), values);
  console.log(program.format(result));
  if (program.faultCount(result) > 0) process.exitCode = 1;
}

export async function makeTopics(address: string, topics: readonly TopicShape[]): Promise<void> {
  const client = await RawClient.connect(address);
  for (const { topic, queues } of topics) await createTopic(client, topic, queues);
  client.close();
}
