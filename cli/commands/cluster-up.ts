/**
 * `ringmq cluster up`: all nodes of a deployment mode on this machine, a process each, for trying it out.
 */
import fs from 'node:fs';
import path from 'node:path';
import { Admin } from '../../client/index.js';
import { type ClusterMode, presetNames } from '../../config/presets.js';
import { MASTER_ID } from '../../protocol/bodies/route.js';
import { ChildNode } from '../child-node.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { brokersOf } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

export interface UpFlags {
  /** Where stores and logs go. */
  readonly dir: string;
  /** Port of the name server. */
  readonly namesrvPort: number;
  /** listenPort of the first broker. */
  readonly port: number;
}

const HOST = '127.0.0.1';
/** A broker listens at listenPort, two below it (old clients) and one above it (its slave). */
const PORT_STEP = 10;
/** Units: ms. */
const LOOK_EVERY_MS = 50;
const START_MAX_MS = 30_000;

/** A node to start. */
export interface PlannedNode {
  readonly name: string;
  readonly port: number;
  readonly words: readonly string[];
}

/** The name server, then masters, then slaves. */
export function planCluster(mode: ClusterMode, { dir, namesrvPort, port }: UpFlags): PlannedNode[] {
  const set = (values: Readonly<Record<string, string | number>>): string[] =>
    Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const namesrv = {
    name: 'namesrv',
    port: namesrvPort,
    words: [
      ...['start', 'namesrv'],
      ...set({
        listenPort: namesrvPort,
        bindAddress: HOST,
        kvConfigPath: path.join(dir, 'namesrv', 'kvConfig.json'),
        configStorePath: path.join(dir, 'namesrv', 'namesrv.properties'),
      }),
    ],
  };
  const isSlave = (name: string): number => (name.endsWith('-s') ? 1 : 0);
  const brokers = presetNames
    .filter(preset => preset.startsWith(`${mode}/`))
    .map(preset => preset.slice(mode.length + 1))
    .sort((left, right) => isSlave(left) - isSlave(right) || (left < right ? -1 : 1))
    .map((name, index) => {
      const listenPort = port + index * PORT_STEP;
      const settings = {
        listenPort,
        haListenPort: listenPort + 1,
        bindAddress: HOST,
        brokerIP1: HOST,
        brokerIP2: HOST,
        namesrvAddr: `${HOST}:${namesrvPort}`,
        storePathRootDir: path.join(dir, name),
        storePathCommitLog: path.join(dir, name, 'commitlog'),
      };
      return { name, port: listenPort, words: ['start', `${mode}/${name}`, ...set(settings)] };
    });
  return [namesrv, ...brokers];
}

/** Runs until Ctrl-C. Errors: CliError when the nodes do not find together. */
export async function clusterUp(shell: Shell, mode: ClusterMode, flags: UpFlags): Promise<number> {
  const dir = path.resolve(flags.dir);
  const logFolder = path.join(dir, 'logs');
  fs.mkdirSync(logFolder, { recursive: true });
  const planned = planCluster(mode, { ...flags, dir });
  const nodes = planned.map(({ name, words }) => new ChildNode({ name, words, logFolder }));
  const interrupted = signalled();
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    // Brokers say farewell to the name server, so it goes last.
    for (const node of nodes.slice(1)) node.stop();
    await Promise.all(nodes.slice(1).map(node => node.ended));
    nodes[0]!.stop();
    await nodes[0]!.ended;
  };
  try {
    const namesrvAddr = `${HOST}:${flags.namesrvPort}`;
    const ready = allReady(namesrvAddr, planned.length - 1, nodes);
    if ((await Promise.race([ready, interrupted.then(() => 'interrupted' as const)])) !== 'interrupted') {
      shell.out(summary(shell, mode, planned, nodes, namesrvAddr, dir));
      for (const node of nodes) {
        void node.ended.then(how => {
          if (!stopping) shell.err(`${node.name} has ended (${how}); its log: ${node.logFile}`);
        });
      }
      await interrupted;
    }
    shell.err('stopping; a second Ctrl-C ends all nodes at once');
    void signalled().then(() => {
      for (const node of nodes) node.stop();
    });
    return ExitCode.OK;
  } finally {
    await stop();
  }
}

function signalled(): Promise<void> {
  return new Promise(resolve => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const done = (): void => {
      for (const signal of signals) process.off(signal, done);
      resolve();
    };
    for (const signal of signals) process.on(signal, done);
  });
}

/** Errors: CliError when a node ends, or not all are there in time. */
async function allReady(namesrvAddr: string, brokers: number, nodes: readonly ChildNode[]): Promise<void> {
  const deadlineMs = performance.now() + START_MAX_MS;
  for (;;) {
    const over = nodes.find(node => node.isOver);
    if (over !== undefined) throw givenUp(`${over.name} has ended (${await over.ended})`, over);
    if (await areReady(namesrvAddr, brokers)) return;
    if (performance.now() > deadlineMs) {
      throw givenUp(`not all nodes are registered and follow after ${START_MAX_MS / 1000} s`, nodes.at(-1)!);
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function givenUp(message: string, node: ChildNode): CliError {
  const said = node.lastLines().map(line => `  ${line}`);
  return new CliError(message, ExitCode.FAILED, [`The end of ${node.logFile}:`, ...said]);
}

/** All are registered, and masters count their slaves: before that a SYNC_MASTER answers SLAVE_NOT_AVAILABLE. */
async function areReady(namesrvAddr: string, count: number): Promise<boolean> {
  const admin = new Admin({ namesrvAddr });
  try {
    await admin.start();
    const brokers = brokersOf(await admin.clusterInfo());
    if (brokers.length < count) return false;
    const masters = brokers.filter(({ brokerId }) => brokerId === MASTER_ID);
    const states = await Promise.all(masters.map(({ address }) => admin.brokerRuntimeInfo(address)));
    const attached = states.reduce((sum, { haSlaves }) => sum + Number(haSlaves), 0);
    return attached >= brokers.length - masters.length;
  } catch {
    return false;
  } finally {
    await admin.shutdown();
  }
}

function summary(
  shell: Shell,
  mode: ClusterMode,
  planned: readonly PlannedNode[],
  nodes: readonly ChildNode[],
  namesrvAddr: string,
  dir: string,
): string {
  const rows = planned.map(({ name, port }, index) => [name, `${HOST}:${port}`, String(nodes[index]!.pid)]);
  return [
    `${mode} is up, with its stores and logs in ${dir}`,
    renderTable(shell, ['NODE', 'ADDRESS', number('PID')], rows),
    `try    ringmq cluster list -n ${namesrvAddr}`,
    `       ringmq topic create Hello -n ${namesrvAddr}`,
    `       ringmq send Hello "Hello, RingMQ" -n ${namesrvAddr}`,
    '       kill -9 PID, and see who goes on',
    'stop   Ctrl-C',
  ].join('\n');
}
