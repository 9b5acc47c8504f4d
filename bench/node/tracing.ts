/**
 * What tracing costs a broker: the same sends, and pulls of all that is sent, with tracing off, off once more, of one
 * request in a hundred, and of all, in turn in one process. CPU of the broker a message tells; what it is more than
 * with tracing off is compared round by round, so that what else the machine does falls on all of them. The second
 * `off` says how much of a difference means nothing.
 */
import { RequestCode } from '../../protocol/codes.js';
import { assert } from '../../runtime/base/assert.js';
import { RawClient } from '../../tests/support/raw-client.js';
import type { BenchmarkCase } from '../benchmark.js';
import { freshTopic, timed } from './support/cases.js';
import { Consumers, makeTopic, Producers } from './support/load.js';
import { type Target, withTarget } from './support/targets.js';

export interface TracingParameters {
  /** Of one slice, times what its shape says: a multiple of 8. */
  readonly messages: number;
  readonly warmUp: number;
  readonly rounds: number;
}

export const parameters = {
  smoke: { messages: 800, warmUp: 80, rounds: 2 },
  real: { messages: 20_000, warmUp: 200_000, rounds: 60 },
} as const;

const QUEUES = 8;
const BODY_BYTES = 128;
const shapes = {
  /** Every message has its own read and write. */
  'one in flight': { connections: 64, inFlight: 64, times: 1 },
  /** Messages share reads, writes and turns: the least CPU for each. */
  'many in flight': { connections: 4, inFlight: 1024, times: 4 },
} as const;
const modes = { off: 0, 'off again': 0, '1 in 100': 100, '1 in 1': 1 } as const;
type Mode = keyof typeof modes;
const modeNames = Object.keys(modes) as Mode[];

interface Slice {
  readonly rate: number;
  readonly cpuUs?: number;
}

class Bench {
  readonly #target: Target;
  readonly #client: RawClient;
  readonly #producers: Producers;
  readonly #consumers: Consumers;
  #sent = 0;

  static async start(target: Target, shape: keyof typeof shapes): Promise<Bench> {
    const topic = freshTopic('Tracing');
    const { address } = target;
    await makeTopic(address, topic, QUEUES);
    const place = { address, topic, queues: QUEUES };
    const consumers = await Consumers.start({ ...place, consumers: 1 });
    const { connections, inFlight } = shapes[shape];
    const producers = await Producers.connect({ ...place, connections, inFlight, bodyBytes: BODY_BYTES });
    return new Bench(target, await RawClient.connect(address), producers, consumers);
  }

  private constructor(target: Target, client: RawClient, producers: Producers, consumers: Consumers) {
    this.#target = target;
    this.#client = client;
    this.#producers = producers;
    this.#consumers = consumers;
  }

  async slice(mode: Mode, messages: number): Promise<Slice> {
    const { code } = await this.#client.request(RequestCode.RINGMQ_SET_TRACE, { every: String(modes[mode]) });
    assert(code === 0, 'the broker switches tracing');
    this.#sent += messages;
    const work = () => Promise.all([this.#producers.send(messages), this.#consumers.consumed(this.#sent)]);
    return timed(this.#target, messages, work);
  }

  get offsetSum(): number {
    return this.#consumers.offsetSum;
  }

  close(): void {
    this.#producers.close();
    this.#consumers.close();
    this.#client.close();
  }
}

async function measure(
  target: Target,
  shape: keyof typeof shapes,
  options: TracingParameters,
): Promise<BenchmarkCase[]> {
  const { warmUp, rounds } = options;
  const messages = options.messages * shapes[shape].times;
  const bench = await Bench.start(target, shape);
  try {
    // Code for either case is compiled before it counts.
    for (const mode of modeNames) await bench.slice(mode, warmUp);
    const slices: Record<Mode, Slice[]> = { off: [], 'off again': [], '1 in 100': [], '1 in 1': [] };
    for (let round = 0; round < rounds; round++) {
      for (let index = 0; index < modeNames.length; index++) {
        const mode = modeNames[(round + index) % modeNames.length]!;
        slices[mode].push(await bench.slice(mode, messages));
      }
    }
    const perQueue = (modeNames.length * (warmUp + rounds * messages)) / QUEUES;
    assert(bench.offsetSum === QUEUES * ((perQueue * (perQueue - 1)) / 2), 'each queue is consumed from 0 to its end');
    return modeNames.map(tracing => ({
      name: 'node/tracing',
      parameters: { target: target.name, shape, tracing, warmUp, rounds, messages, bodyBytes: BODY_BYTES },
      ...costOf(slices[tracing], slices.off),
      checksum: bench.offsetSum,
    }));
  } finally {
    bench.close();
  }
}

/** Means over all rounds; how much more than with tracing off is the median of the rounds: some are disturbed. */
function costOf(
  slices: readonly Slice[],
  off: readonly Slice[],
): Omit<BenchmarkCase, 'name' | 'parameters' | 'checksum'> {
  const rate = Math.round(meanOf(slices.map(slice => slice.rate)));
  const cpus = slices.flatMap(({ cpuUs }) => cpuUs ?? []);
  // Elsewhere nobody knows the CPU, and what is too short has none.
  if (cpus.length < slices.length || off.some(({ cpuUs }) => !cpuUs)) return { rate };
  const more = cpus.map((cpuUs, round) => (cpuUs / off[round]!.cpuUs! - 1) * 100).sort((left, right) => left - right);
  const middle = (more.length - 1) / 2;
  const at = (rank: number): number => more[Math.min(more.length - 1, Math.max(0, Math.round(rank)))]!;
  // Two of three medians of so many rounds lie between these ranks.
  const reach = Math.sqrt(more.length) / 2;
  return {
    rate,
    cpuUs: hundredths(meanOf(cpus)),
    morePercent: hundredths((at(Math.floor(middle)) + at(Math.ceil(middle))) / 2),
    moreErrorPercent: hundredths((at(middle + reach) - at(middle - reach)) / 2),
  };
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

export const run = (options: TracingParameters, choice = 'ringmq'): Promise<BenchmarkCase[]> =>
  withTarget(choice, async target => {
    const results: BenchmarkCase[] = [];
    for (const shape of Object.keys(shapes) as (keyof typeof shapes)[]) {
      results.push(...(await measure(target, shape, options)));
    }
    return results;
  });
