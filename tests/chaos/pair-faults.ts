/**
 * Hurts a pair under load, one fault after the other, drawn at random: processes killed and stopped, a slave's log
 * taken away, clocks that jump, and on hosts of their own links cut, slow, lossy or open in one direction, a machine
 * unplugged, a disk full. Each time it checks what would be gone with the master's disk, that the slave's log is a
 * prefix of the master's, that no place changed its content, and that the slave catches up without help.
 *
 *   node dist/tests/chaos/pair-faults.js --cycles 100 --seed 1 [--mode async] [--flush async] [--only slave-killed]
 */
import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../runtime/base/errors.js';
import { Prng } from '../../runtime/base/prng.js';
import { type ExtraValues, type KillRigOptions, makeTopics, runKillRig } from '../support/kill-rig.js';
import { MessageMaker } from '../support/load.js';
import { PairAudit } from '../support/pair-audit.js';
import { enterRoom, isInRoom, loopbackNetwork, type PairNetwork, RoomNetwork } from '../support/pair-network.js';
import { inRigFolder, runAsProgram } from '../support/rig-arguments.js';
import { until } from '../support/until.js';
import { type FaultKind, faultKinds } from './fault-kinds.js';
import { FaultPair, patienceMs, segmentSize } from './fault-pair.js';
import { readBack } from './fault-reading.js';
import { FaultTable, formatFaultTable, type PairFaultsResult } from './fault-table.js';
import { Traffic } from './fault-traffic.js';

export interface PairFaultsOptions extends KillRigOptions {
  readonly mode: 'sync' | 'async';
  readonly flush: 'sync' | 'async';
  readonly kinds: readonly FaultKind[];
  readonly network: PairNetwork;
  /** Damages what the checker looks at, once every producer of a cycle has ended; for the test of the rig. */
  readonly plant?: (pair: FaultPair, audit: PairAudit) => void;
}

const topics = [
  { topic: 'Faults_A', queues: 3 },
  { topic: 'Faults_B', queues: 2 },
] as const;
const bodySizeMax = 8 * 1024;
/** A new pair after so many cycles: logs stay small enough to be read whole each time. */
const cyclesOfPair = 12;

/** Kinds in a random order, all of them before one comes again. */
class Deck {
  readonly #random: Prng;
  readonly #kinds: readonly FaultKind[];
  #left: FaultKind[] = [];

  constructor(kinds: readonly FaultKind[], random: Prng) {
    this.#kinds = kinds;
    this.#random = random;
  }

  draw(): FaultKind {
    if (this.#left.length === 0) this.#left = [...this.#kinds];
    return this.#left.splice(this.#random.below(this.#left.length), 1)[0]!;
  }
}

class Rig {
  readonly #options: PairFaultsOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #maker: MessageMaker;
  readonly #deck: Deck;
  readonly #table = new FaultTable();

  constructor(options: PairFaultsOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#maker = new MessageMaker(this.#random.next(), topics, bodySizeMax);
    this.#deck = new Deck(options.kinds, this.#random);
  }

  async run(): Promise<PairFaultsResult> {
    for (let cycle = 1; cycle <= this.#options.cycles; ) cycle = await this.#onePair(cycle);
    return this.#table.result();
  }

  /** Hurts one pair for some cycles; returns the cycle that is next. */
  async #onePair(first: number): Promise<number> {
    const { launchers, network, mode, flush, keep } = this.#options;
    const folder = path.join(this.#folder, `pair-${first}`);
    const pair = new FaultPair({ launchers, network, mode, flush, folder });
    const audit = new PairAudit({ master: pair.commitLog('master'), slave: pair.commitLog('slave'), segmentSize });
    const faultsBefore = this.#table.faultCount;
    let cycle = first;
    let kind = 'start';
    try {
      await pair.start();
      await makeTopics(pair.address('master'), topics);
      const { connections, window } = this.#options;
      const traffic = new Traffic({ pair, audit, maker: this.#maker, topics, connections, window });
      const end = Math.min(this.#options.cycles + 1, first + cyclesOfPair);
      for (; cycle < end; cycle++) {
        const drawn = this.#deck.draw();
        kind = drawn.name;
        await this.#cycle(cycle, drawn, pair, audit, traffic);
      }
      const { report, incomplete } = await readBack(pair, audit, topics);
      this.#table.judged(report, audit.ledger, [...audit.changes(), ...incomplete]);
    } catch (error) {
      // A pair that does not heal is a fault of its own, and no place to go on from.
      this.#table.fault(kind, `cycle ${cycle}, ${kind}: ${messageOf(error)}`);
      cycle++;
    } finally {
      const faulty = this.#table.faultCount > faultsBefore;
      network.heal();
      await pair.end(keep && faulty);
      if (!faulty) fs.rmSync(folder, { recursive: true });
    }
    return cycle;
  }

  async #cycle(cycle: number, kind: FaultKind, pair: FaultPair, audit: PairAudit, traffic: Traffic): Promise<void> {
    const { ledger } = audit;
    const before = ledger.acknowledged;
    this.#table.begin(cycle, kind.name);
    traffic.start(cycle);
    let heal: (() => Promise<void>) | undefined;
    try {
      await until(() => ledger.acknowledged > before, 'an acknowledgement', patienceMs);
      await this.#aWhile();
      heal = await kind.begin(pair, this.#random);
      const hurtMs = performance.now();
      // What may have been on its way when a machine is lost is not waited for.
      if (!kind.losesMaster) await this.#aWhile(3);
      this.#auditLoss(cycle, kind, audit, hurtMs);
      if (kind.losesMaster) await this.#aWhile();
      const healing = heal;
      heal = undefined;
      const startedMs = performance.now();
      await healing();
      const startMs = Math.round(performance.now() - startedMs);
      const steps = await this.#healed(pair, audit);
      const healMs = performance.now() - startedMs;
      await traffic.stopProducers();
      const end = await this.#levelled(pair);
      this.#options.plant?.(pair, audit);
      this.#table.lost(cycle, kind.name, audit.missing());
      this.#auditContent(cycle, kind, audit, end);
      this.#table.healed(kind.name, healMs, ledger.acknowledged - before);
      this.#options.log(
        `cycle ${cycle}: ${kind.name}, ${ledger.acknowledged - before} acknowledged, ` +
          `healed in ${startMs} + ${steps} = ${Math.round(healMs)} ms`,
      );
    } finally {
      await heal?.().catch(() => {});
      await traffic.stop();
    }
    pair.assertAlive();
  }

  /** The moment, and how long, are the experiment; now and then longer than the brokers wait for each other. */
  async #aWhile(times = 1): Promise<void> {
    const { loadMs } = this.#options;
    const forMs = this.#random.below(this.#random.oneIn(4) ? loadMs * times : loadMs);
    await new Promise(resolve => setTimeout(resolve, forMs));
  }

  /** What would be gone now with the master's disk. */
  #auditLoss(cycle: number, kind: FaultKind, audit: PairAudit, hurtMs: number): void {
    if (kind.takesSlaveLog) return audit.slaveBeginsLate();
    const missing = audit.missing();
    if (this.#options.mode === 'async') {
      if (kind.losesMaster) this.#table.lossOf(kind.name, audit.loss(missing, hurtMs));
    } else this.#table.lost(cycle, kind.name, missing);
    this.#auditContent(cycle, kind, audit);
  }

  #auditContent(cycle: number, kind: FaultKind, audit: PairAudit, end?: number): void {
    for (const name of audit.differing(end)) {
      this.#table.fault(kind.name, `cycle ${cycle}, ${kind.name}: ${name} of the slave is not that of the master`);
    }
    for (const change of audit.changes()) this.#table.fault(kind.name, `cycle ${cycle}, ${kind.name}: ${change}`);
  }

  /** Until the pair works; returns how long each step took, in the order below, to tell what a slow one waits for. */
  async #healed(pair: FaultPair, audit: PairAudit): Promise<string> {
    const { connections, window } = this.#options;
    // More than what was on its way before.
    const enough = audit.ledger.acknowledged + connections * window + 1;
    let end = -1;
    const answers = async (): Promise<boolean> => {
      end = await pair.logEnd('master').catch(() => -1);
      return end >= 0;
    };
    const steps: readonly (readonly [string, () => boolean | Promise<boolean>])[] = [
      ['the master answers', answers],
      ['the slave has caught up', () => pair.slaveReaches(end)],
      ['the slave is attached and both are registered', () => pair.isWhole()],
      ['new sends are acknowledged', () => audit.ledger.acknowledged >= enough],
    ];
    const tookMs: number[] = [];
    for (const [what, holds] of steps) tookMs.push(Math.round(await until(holds, what, patienceMs)));
    return tookMs.join(' + ');
  }

  /** Without load, the lag is none; returns where both logs end. */
  async #levelled(pair: FaultPair): Promise<number> {
    const end = await pair.logEnd('master');
    await until(() => pair.slaveReaches(end), 'the lag is zero', patienceMs);
    return end;
  }
}

/** Errors: Error for a pair that cannot be started; faults are in the result. */
export function runPairFaults(options: PairFaultsOptions): Promise<PairFaultsResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    ({ faults }) => faults.length > 0,
  );
}

export function formatPairFaults(result: PairFaultsResult): string {
  return [
    ...result.faults.slice(0, 20).map(fault => `  ${fault}`),
    ...(result.folder ? [`kept: ${result.folder}`] : []),
    formatFaultTable(result.rows),
    ...[...result.losses].map(
      ([kind, { messages, bytes, ms }]) =>
        `${kind}: acknowledged and gone with the master's disk, at most ${messages} messages, ${bytes} bytes, ${ms} ms`,
    ),
    `${result.faults.length} faults found`,
  ].join('\n');
}

const extra = {
  options: {
    mode: { type: 'string', default: 'sync' },
    flush: { type: 'string', default: 'async' },
    only: { type: 'string' },
  },
  usage: `
  --mode sync|async         the master waits for its slave, or does not (then the loss is measured)
  --flush sync|async        both wait for their disks, or do not
  --only KIND,...           of ${faultKinds.map(({ name }) => name).join(', ')}`,
} as const;

function choice(values: ExtraValues, name: 'mode' | 'flush'): 'sync' | 'async' {
  const value = values[name];
  if (value === 'sync' || value === 'async') return value;
  throw new Error(`--${name} takes sync or async`);
}

/** Errors: Error for a name that is none. */
function chooseKinds(only: ExtraValues[string]): readonly FaultKind[] {
  if (typeof only !== 'string') return faultKinds;
  return only.split(',').map(name => {
    const kind = faultKinds.find(kind => kind.name === name);
    if (!kind) throw new Error(`--only ${name}: there is ${faultKinds.map(({ name }) => name).join(', ')}`);
    return kind;
  });
}

/** The kinds that can be had, and where; says which are skipped, and why. */
async function placeFor(
  wanted: readonly FaultKind[],
  reason: string | undefined,
): Promise<Pick<PairFaultsOptions, 'kinds' | 'network'>> {
  let why = reason;
  if (isInRoom()) {
    try {
      return { kinds: wanted, network: await RoomNetwork.open() };
    } catch (error) {
      why = messageOf(error);
    }
  }
  for (const { name, needsRoom } of wanted) if (needsRoom) console.log(`skipped: ${name}: ${why}`);
  return { kinds: wanted.filter(({ needsRoom }) => !needsRoom), network: loopbackNetwork };
}

runAsProgram(import.meta.filename, async () => {
  const reason = await enterRoom();
  await runKillRig<PairFaultsResult>({
    name: 'pair-faults',
    cycles: 100,
    extra,
    run: async (options, values) => {
      const mode = choice(values, 'mode');
      const flush = choice(values, 'flush');
      const place = await placeFor(chooseKinds(values.only), reason);
      if (place.kinds.length === 0) throw new Error('none of these faults can be had here');
      try {
        return await runPairFaults({ ...options, ...place, mode, flush });
      } finally {
        place.network.close();
      }
    },
    format: formatPairFaults,
    faultCount: ({ faults }) => faults.length,
  });
});
