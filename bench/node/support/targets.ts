/** The brokers that benchmarks of whole nodes run against: started for a benchmark, or already there. */
import fs from 'node:fs';
import path from 'node:path';
import { javaLaunchers } from '../../../tests/support/java.js';
import {
  type Launchers,
  removeFolder,
  ringmqLaunchers,
  type ServerProcess,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../../../tests/support/node-process.js';
import { descendantsOf } from '../../../tests/support/process-tree.js';

/** A broker under measurement. */
export interface Target {
  /** As it is printed: `ringmq`, `java-4.9.7`. */
  readonly name: string;
  readonly address: string;
  /** CPU its process has used; undefined for a broker that was started elsewhere. Units: ms, of Java in steps of 10. */
  readonly cpuMs: () => number | undefined;
  /**
   * Starts a slave of it with an empty store, which ends with the target; returns its address once it listens.
   * Errors: Error when the target was started elsewhere.
   */
  readonly startSlave: () => Promise<string>;
}

/** Settings of all brokers that are started, whoever made them: the defaults of both but for where they differ. */
const settings = { flushDiskType: 'ASYNC_FLUSH', autoCreateTopicEnable: 'true' };
/** Of Linux, as it is built everywhere. Units: ms. */
const CLOCK_TICK_MS = 10;

/**
 * Runs `measure` against a target: `ringmq` (from `bin/`), `java-VERSION` (RINGMQ_REFERENCE names its launchers), or
 * `NAME=HOST:PORT` for a broker that runs.
 * Errors: Error when there is no such target, or it does not start.
 */
export async function withTarget<Result>(
  choice: string,
  measure: (target: Target) => Promise<Result>,
): Promise<Result> {
  const running = /^([^=]+)=(.+:\d+)$/.exec(choice);
  if (running !== null) {
    const startSlave = (): Promise<string> =>
      Promise.reject(new Error(`${choice} was started elsewhere: it gets no slave`));
    return measure({ name: running[1]!, address: running[2]!, cpuMs: () => undefined, startSlave });
  }
  const launchers = launchersOf(choice);
  const folder = temporaryFolder();
  const servers: ServerProcess[] = [];
  try {
    const nameServer = await startNameServer(launchers, folder);
    servers.push(nameServer);
    const place = { nameServer: nameServer.address, folder };
    const broker = await startBroker(launchers, { ...place, settings });
    servers.push(broker);
    const startSlave = async (): Promise<string> => {
      const store = path.join(folder, `slave-${servers.length}`);
      const ownSettings = { ...settings, brokerRole: 'SLAVE', brokerId: String(servers.length - 1) };
      const slave = await startBroker(launchers, { ...place, store, settings: ownSettings });
      servers.push(slave);
      return slave.address;
    };
    return await measure({ name: choice, address: broker.address, cpuMs: cpuClock(choice, broker.pid), startSlave });
  } finally {
    // What it stored is thrown away: no need to wait for a good end.
    for (const server of servers) await server.kill();
    removeFolder(folder);
  }
}

function launchersOf(choice: string): Launchers {
  if (choice !== 'ringmq' && !choice.startsWith('java-')) {
    throw new Error(`target ${choice} is neither ringmq nor java-VERSION nor NAME=HOST:PORT`);
  }
  const launchers = choice === 'ringmq' ? ringmqLaunchers() : javaLaunchers(choice.slice('java-'.length));
  if (launchers === undefined) throw new Error('bin/mqnamesrv and bin/mqbroker are not there');
  if (typeof launchers === 'string') throw new Error(launchers);
  // The tests' Java broker stores with one thread; this one as it comes.
  return { ...launchers, settings: {} };
}

/** RingMQ's threads live as long as the node, so theirs can be added up; of Java only the process keeps the account. */
function cpuClock(choice: string, pid: number): () => number | undefined {
  const isFine = choice === 'ringmq' && fs.existsSync('/proc/self/schedstat');
  return () => (isFine ? threadsCpuMsOf(pid) : cpuMsOf(pid));
}

/** Of all threads of a process and all below it that are there now. */
function threadsCpuMsOf(pid: number): number {
  let nanoseconds = 0;
  for (const each of [pid, ...descendantsOf(pid)]) {
    for (const thread of fs.readdirSync(`/proc/${each}/task`)) {
      nanoseconds += Number.parseInt(fs.readFileSync(`/proc/${each}/task/${thread}/schedstat`, 'utf8'), 10);
    }
  }
  return nanoseconds / 1e6;
}

/** Of a process and all below it. */
function cpuMsOf(pid: number): number | undefined {
  if (!fs.existsSync('/proc/self/stat')) return undefined;
  let ticks = 0;
  for (const each of [pid, ...descendantsOf(pid)]) {
    const stat = fs.readFileSync(`/proc/${each}/stat`, 'utf8');
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * CLOCK_TICK_MS;
}
