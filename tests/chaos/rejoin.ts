/**
 * Kills the master of an asynchronous pair again and again, with messages its slave does not have; the slave becomes
 * the master and gets others, and the old master comes back as its slave, killed once more on its way in some cycles.
 * Checks that everything of the old master's log is in the new one's, at its place, or in the file it was set aside in,
 * byte for byte; and that logs and consume queues of both are the same in the end.
 *
 *   node dist/tests/chaos/rejoin.js --cycles 50 --seed 1
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Prng } from '../../runtime/base/prng.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { nodeDisk } from '../../storage/disk.js';
import { RecordWalk } from '../../storage/record-walk.js';
import { Ledger } from '../support/checker.js';
import { type KillRigOptions, makeTopics, runKillRig } from '../support/kill-rig.js';
import { MessageMaker, runLoad } from '../support/load.js';
import { checkoutFolder, freePort, type ServerProcess, spawnBroker, startNameServer } from '../support/node-process.js';
import { signal } from '../support/process-tree.js';
import { roleFacts } from '../support/raw-requests.js';
import { inRigFolder, runAsProgram } from '../support/rig-arguments.js';
import { until } from '../support/until.js';

export interface RejoinResult {
  readonly cycles: number;
  readonly acknowledged: number;
  /** Cycles in which the old master had something that the new one had not, and how much that was in all. */
  readonly tails: number;
  readonly setAsideBytes: number;
  readonly killedOnTheWay: number;
  /** From the start of the old master until it follows. Units: ms. */
  readonly slowestMs: number;
  readonly faults: readonly string[];
  /** Set when kept. */
  readonly folder?: string;
}

const run = promisify(execFile);
const topics = [
  { topic: 'Rejoin_A', queues: 4 },
  { topic: 'Rejoin_B', queues: 3 },
] as const;
const segmentSize = 4 * 1024 * 1024;
const patienceMs = 60_000;
/** Sends of a connection: to both, to the master alone while the slave is stopped, and to the new master. */
const COMMON = 300;
const ALONE = 150;
const AFTERWARDS = 100;

/** One broker of the two, by the name of its store. */
interface Member {
  readonly name: string;
  readonly port: number;
  /** What its configuration says. */
  role: string;
  brokerId: number;
  server: ServerProcess;
}

class Rig {
  readonly #options: KillRigOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #ledger = new Ledger();
  readonly #faults: string[] = [];
  readonly #members: Member[] = [];
  #nameServer = '';
  #tails = 0;
  #setAsideBytes = 0;
  #killedOnTheWay = 0;
  #slowestMs = 0;

  constructor(options: KillRigOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, 32 * 1024);
  }

  async run(): Promise<RejoinResult> {
    const { launchers, cycles } = this.#options;
    const nameServer = await startNameServer(launchers, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      for (const [name, role, brokerId] of [
        ['first', 'ASYNC_MASTER', 0],
        ['second', 'SLAVE', 1],
      ] as const) {
        const place = { name, role, brokerId, port: await freePort() };
        this.#members.push({ ...place, server: await this.#start(place) });
      }
      let [master, slave] = this.#members as [Member, Member];
      await this.#follows(slave, 'the slave follows');
      await makeTopics(master.server.address, topics);
      for (let cycle = 1; cycle <= cycles; cycle++) {
        await this.#cycle(cycle, master, slave);
        [master, slave] = [slave, master];
      }
      for (const { server } of this.#members) await server.stop();
      this.#compare(master, slave);
      return {
        ...{ cycles, acknowledged: this.#ledger.acknowledged, tails: this.#tails, setAsideBytes: this.#setAsideBytes },
        ...{ killedOnTheWay: this.#killedOnTheWay, slowestMs: this.#slowestMs, faults: this.#faults },
      };
    } finally {
      for (const { server } of this.#members) await server.kill();
      await nameServer.stop();
    }
  }

  async #start({ name, port, role, brokerId }: Omit<Member, 'server'>): Promise<ServerProcess> {
    const { launchers } = this.#options;
    const settings = {
      brokerRole: role,
      brokerId: String(brokerId),
      [`${launchers.segmentSizePrefix}CommitLog`]: String(segmentSize),
      maxMessageSize: '65536',
      threadingMode: this.#random.pick(['inline', 'shared', 'dedicated'] as const),
    };
    const place = { nameServer: this.#nameServer, folder: this.#folder, store: path.join(this.#folder, name) };
    const server = await spawnBroker(launchers, { ...place, port, settings });
    await server.listening();
    return server;
  }

  async #cycle(cycle: number, master: Member, slave: Member): Promise<void> {
    await this.#load(master, cycle, COMMON);
    await this.#sameEnd(master, slave);
    signal(slave.server.pid, 'SIGSTOP');
    await this.#load(master, cycle, ALONE);
    await master.server.kill();
    // What waits for it in its socket goes with it.
    await slave.server.kill();
    slave.server = await this.#start(slave);
    const before = this.#logOf(master);
    await until(async () => this.#promoted(slave), 'the slave is the master', patienceMs);
    const agreed = Number((await roleFacts(slave.server.address)).appended);
    await this.#load(slave, cycle, AFTERWARDS);
    await this.#rejoin(cycle, master, slave);
    const tail = before.subarray(agreed);
    await this.#judge(cycle, master, slave, before.subarray(0, agreed), tail);
    this.#options.log(`cycle ${cycle}: ${this.#ledger.acknowledged} acknowledged, ${tail.length} bytes set aside`);
  }

  async #load({ server }: Member, phase: number, count: number): Promise<void> {
    const { connections, window } = this.#options;
    const { address } = server;
    const load = { address, maker: this.#maker, ledger: this.#ledger, phase, window, count };
    const results = await Promise.all(Array.from({ length: connections }, () => runLoad(load)));
    const refused = results.flatMap(result => [...result.refused]);
    if (refused.length > 0) this.#fault(`${address} refused sends: ${JSON.stringify(refused)}`);
  }

  async #promoted({ server }: Member): Promise<boolean> {
    const program = path.join(checkoutFolder(), 'bin', 'ringmq');
    const words = [program, 'promote', server.address, '-n', this.#nameServer, '--force'];
    // Refused for as long as the name server still knows the dead master as one that answers.
    return run(process.execPath, words).then(
      () => true,
      () => false,
    );
  }

  /** Its id is another one than before: its configuration says something new, and so counts. */
  async #rejoin(cycle: number, member: Member, master: Member): Promise<void> {
    const beganMs = performance.now();
    Object.assign(member, { role: 'SLAVE', brokerId: cycle + 1 });
    member.server = await this.#start(member);
    if (this.#random.oneIn(2)) {
      await new Promise(resolve => setTimeout(resolve, this.#random.below(this.#options.loadMs))); // the moment is the experiment
      await member.server.kill();
      this.#killedOnTheWay++;
      member.server = await this.#start(member);
    }
    await this.#follows(member, 'the old master follows');
    this.#slowestMs = Math.max(this.#slowestMs, Math.round(performance.now() - beganMs));
    await this.#sameEnd(member, master);
  }

  async #follows({ server }: Member, what: string): Promise<void> {
    const follows = async (): Promise<boolean> => {
      if (server.hasEnded) throw new Error(`${server.address} has ended:\n${server.lastLines()}`);
      return (await roleFacts(server.address).catch(() => undefined))?.haState === 'transfer';
    };
    await until(follows, what, patienceMs);
  }

  async #sameEnd(one: Member, other: Member): Promise<void> {
    const ends = (): Promise<string[]> =>
      Promise.all([one, other].map(async ({ server }) => (await roleFacts(server.address)).appended!));
    const isSame = async (): Promise<boolean> => new Set(await ends()).size === 1;
    await until(isSame, 'both logs end at the same place', patienceMs);
  }

  // ---- what became of the old master's log ----

  /** The log of a broker that is dead, up to the end of its last whole record. */
  #logOf({ name }: Member): Buffer {
    const folder = path.join(this.#folder, name, 'commitlog');
    const files = fs.readdirSync(folder).sort();
    const reader = new CommitLogReader(nodeDisk, folder, segmentSize);
    const walk = new RecordWalk(reader, 0, files.length * segmentSize);
    while (walk.next());
    reader.close();
    return Buffer.concat(files.map(file => fs.readFileSync(path.join(folder, file)))).subarray(0, walk.end);
  }

  async #judge(cycle: number, old: Member, now: Member, kept: Buffer, tail: Buffer): Promise<void> {
    const log = this.#logOf(now);
    if (!log.subarray(0, kept.length).equals(kept))
      this.#fault(`cycle ${cycle}: the two logs differ in front of the end`);
    if (!this.#logOf(old).equals(log)) this.#fault(`cycle ${cycle}: the old master has another log than the new one`);
    if (tail.length === 0) return;
    this.#tails++;
    this.#setAsideBytes += tail.length;
    const folder = path.join(this.#folder, old.name, 'set-aside');
    const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter(file => !file.endsWith('.json')) : [];
    const found = files.filter(file => fs.readFileSync(path.join(folder, file)).equals(tail));
    if (found.length !== 1)
      this.#fault(`cycle ${cycle}: ${found.length} of ${files.length} files hold the ${tail.length} bytes`);
    if (files.some(file => !file.startsWith('commitlog-'))) this.#fault(`cycle ${cycle}: there are ${files}`);
  }

  /** Both have stopped. */
  #compare(one: Member, other: Member): void {
    for (const part of ['commitlog', 'consumequeue']) {
      const folder = (member: Member): string => path.join(this.#folder, member.name, part);
      const names = new Set([one, other].flatMap(member => filesBelow(folder(member))));
      for (const name of names) {
        const [left, right] = [one, other].map(member => path.join(folder(member), name));
        const same =
          [left, right].every(file => fs.existsSync(file!)) && fs.readFileSync(left!).equals(fs.readFileSync(right!));
        if (!same) this.#fault(`${part}/${name} differs`);
      }
    }
  }

  #fault(words: string): void {
    this.#faults.push(words);
    this.#options.log(words);
  }
}

function filesBelow(folder: string): string[] {
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Errors: Error when a broker does not start, or does not follow in time; faults are in the result. */
export function runRejoins(options: KillRigOptions): Promise<RejoinResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    result => result.faults.length > 0,
  );
}

export function formatRejoins(result: RejoinResult): string {
  const { cycles, acknowledged, tails, setAsideBytes, killedOnTheWay, slowestMs, faults, folder } = result;
  return [
    `cycles ${cycles}, ${acknowledged} acknowledged, ${setAsideBytes} bytes set aside in ${tails} cycles, ` +
      `${killedOnTheWay} killed on the way back, the slowest followed after ${slowestMs} ms`,
    `${faults.length} faults`,
    ...faults.map(fault => `  ${fault}`),
    ...(folder ? [`kept: ${folder}`] : []),
  ].join('\n');
}

runAsProgram(import.meta.filename, () =>
  runKillRig({
    name: 'rejoin',
    cycles: 50,
    run: runRejoins,
    format: formatRejoins,
    faultCount: ({ faults }) => faults.length,
  }),
);
