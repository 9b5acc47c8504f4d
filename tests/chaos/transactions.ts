/**
 * Transactions whose producers die between the half message and the end, on a broker that is killed again and again. In
 * the end each is committed or rolled back, as any producer of the group answers when it is asked.
 *
 *   node dist/tests/chaos/transactions.js --transactions 1000 --kills 10 --seed 1
 */
import { parseArgs } from 'node:util';
import { Prng } from '../../runtime/base/prng.js';
import { freePort, type Launchers, type ServerProcess, spawnBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { committedOffset, createTopic, pullQueue, queueBound } from '../support/raw-requests.js';
import {
  chooseLaunchers,
  inRigFolder,
  launcherOptions,
  launcherUsage,
  runAsProgram,
  wholeNumber,
} from '../support/rig-arguments.js';
import { Registry, TransactionProducer, topic } from './transaction-producers.js';

export interface TransactionsOptions {
  readonly launchers: Launchers;
  readonly transactions: number;
  readonly kills: number;
  readonly seed: number;
  readonly producers: number;
  readonly keep: boolean;
  readonly log: (line: string) => void;
}

export interface TransactionsResult {
  readonly begun: number;
  readonly acknowledged: number;
  readonly questions: number;
  readonly committed: number;
  /** Committed more than once: allowed, and few. */
  readonly repeated: number;
  readonly kills: number;
  /** What is wrong, in words. */
  readonly faults: readonly string[];
  readonly folder?: string;
}

const internalGroup = 'CID_RMQ_SYS_TRANS';
const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC';
const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
const discardTopic = 'TRANS_CHECK_MAX_TIME_TOPIC';
const settledLimitMs = 180_000;

class Rig {
  readonly #options: TransactionsOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #registry: Registry;
  #nameServer = '';
  #port = 0;
  #broker: ServerProcess | undefined;
  #kills = 0;
  #isOver = false;

  constructor(options: TransactionsOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#registry = new Registry(new Prng(this.#random.next()), options.transactions);
  }

  async run(): Promise<TransactionsResult> {
    const nameServer = await startNameServer(this.#options.launchers, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      this.#port = await freePort();
      await this.#start();
      const client = await RawClient.connect(this.#address);
      await createTopic(client, topic, 1);
      client.close();
      const producers = Array.from({ length: this.#options.producers }, (_, index) => this.#produce(index));
      await this.#killAgainAndAgain();
      await this.#settled();
      this.#isOver = true;
      await Promise.all(producers);
      return await this.#judge();
    } finally {
      this.#isOver = true;
      await this.#broker?.kill();
      await nameServer.stop();
    }
  }

  get #address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async #start(): Promise<void> {
    const settings = {
      flushDiskType: this.#random.oneIn(2) ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
      transactionTimeOut: '300',
      transactionCheckInterval: '1000',
      transactionCheckMax: '1000',
    };
    const options = { nameServer: this.#nameServer, folder: this.#folder, port: this.#port, settings };
    this.#broker = await spawnBroker(this.#options.launchers, options);
    await this.#broker.listening(120_000);
  }

  /** A producer and its successors, until all is over. */
  async #produce(index: number): Promise<void> {
    for (let life = 0; !this.#isOver; life++) {
      try {
        const producer = await TransactionProducer.connect(this.#address, `producer-${index}-${life}`, this.#registry);
        await producer.run();
        while (producer.isOpen && !this.#isOver) await pause(50); // stays to be asked
        producer.close();
      } catch {
        await pause(50); // the broker is down: tried again
      }
    }
  }

  /** Kills while half messages come in, and while the rest is asked about. */
  async #killAgainAndAgain(): Promise<void> {
    while (this.#kills < this.#options.kills || !this.#registry.isDone) {
      await pause(this.#random.between(300, 3000)); // the moment is the experiment
      if (this.#kills >= this.#options.kills) continue;
      const broker = this.#broker!;
      if (broker.hasEnded) throw new Error(`the broker ended by itself:\n${broker.lastLines()}`);
      await broker.kill();
      this.#kills++;
      const { acknowledged, questions } = this.#registry;
      this.#options.log(`kill ${this.#kills}: ${acknowledged} half messages acknowledged, ${questions} questions`);
      await this.#start();
    }
  }

  /** Every half message is passed, and so is every op record. Errors: Error when that takes too long. */
  async #settled(): Promise<void> {
    const client = await RawClient.connect(this.#address);
    const deadlineMs = performance.now() + settledLimitMs;
    for (;;) {
      const half = await committedOffset(client, internalGroup, halfTopic, 0);
      const op = await committedOffset(client, internalGroup, opTopic, 0);
      const ends = [await queueBound(client, halfTopic, 0, 'max'), await queueBound(client, opTopic, 0, 'max')];
      if (half === ends[0] && op === ends[1]) break;
      if (performance.now() > deadlineMs) {
        throw new Error(
          `not settled: progress ${half} and ${op} of ${ends.join(' and ')}\n${this.#broker!.lastLines()}`,
        );
      }
      await pause(200); // asked again until the limit
    }
    client.close();
  }

  async #judge(): Promise<TransactionsResult> {
    const committed = await this.#read(topic);
    const discarded = await this.#read(discardTopic);
    const faults: string[] = [...discarded.keys()].map(name => `${name} was given up`);
    const { transactions, acknowledged, questions } = this.#registry;
    for (const { name, commits, acknowledged: isSafe, asked } of transactions.values()) {
      const times = committed.get(name) ?? 0;
      if (!commits && times > 0) faults.push(`${name} was rolled back and is committed ${times} times`);
      if (commits && isSafe && times === 0) faults.push(`${name} is not committed (asked ${asked} times)`);
    }
    for (const name of committed.keys()) if (!transactions.has(name)) faults.push(`${name} was never begun`);
    const repeated = [...committed.values()].filter(times => times > 1).length;
    const counts = { acknowledged, questions, committed: committed.size, repeated, kills: this.#kills };
    return { begun: transactions.size, ...counts, faults };
  }

  /** How often each transaction is in a topic. */
  async #read(from: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const client = await RawClient.connect(this.#address);
    await pullQueue(client, from, 0, record => {
      const name = record.properties.get('UNIQ_KEY') ?? '';
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
    client.close();
    return counts;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Errors: Error when the broker does not start, ends by itself, or does not settle; faults are in the result. */
export function runTransactions(options: TransactionsOptions): Promise<TransactionsResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    result => result.faults.length > 0,
  );
}

export function formatTransactions(result: TransactionsResult): string {
  const { begun, acknowledged, questions, committed, repeated, kills, faults, folder } = result;
  return [
    `begun ${begun}, acknowledged ${acknowledged}, killed ${kills} times, ${questions} questions, ` +
      `committed ${committed}, of them more than once ${repeated}, faults ${faults.length}`,
    ...faults.slice(0, 10).map(fault => `  ${fault}`),
    ...(folder ? [`kept: ${folder}`] : []),
  ].join('\n');
}

const usage = `usage: transactions [options] [broker]
  --transactions 1000, --kills 10, --seed 1, --producers 4
  --keep                    keep store and logs when something was wrong${launcherUsage}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...launcherOptions,
      transactions: { type: 'string', default: '1000' },
      kills: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      producers: { type: 'string', default: '4' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const result = await runTransactions({
    launchers: chooseLaunchers(values),
    transactions: wholeNumber(values, 'transactions', 1),
    kills: wholeNumber(values, 'kills', 0),
    seed: wholeNumber(values, 'seed', 0),
    producers: wholeNumber(values, 'producers', 1),
    keep: values.keep,
    log: line => console.log(line),
  });
  console.log(formatTransactions(result));
  if (result.faults.length > 0) process.exitCode = 1;
}

runAsProgram(import.meta.filename, main);
