/**
 * One store, two makes of broker: the first fills a store and is stopped (or killed), the second opens the same folder
 * and must read back exactly what the first acknowledged, then goes on writing; at last the first opens it again. Both
 * are spoken to by the same raw client, so the store is all that can differ.
 */
import { createHash } from 'node:crypto';
import type { Report } from '../support/checker.js';
import { formatReport, Judge, Ledger, queueKey } from '../support/checker.js';
import type { TopicShape } from '../support/load.js';
import { MessageMaker, runLoad, storedOf } from '../support/load.js';
import type { Launchers, ServerProcess } from '../support/node-process.js';
import { removeFolder, startBroker, startNameServer, temporaryFolder } from '../support/node-process.js';
import { physicalOffsetOf, RawClient } from '../support/raw-client.js';
import type { RawRecord } from '../support/raw-record.js';
import { commitOffset, committedOffset, createTopic, pullQueue, queryByKey } from '../support/raw-requests.js';

export interface RoundTripOptions {
  readonly writer: Launchers;
  readonly reader: Launchers;
  /** How the writer ends: SIGTERM, or SIGKILL while it is being written to. */
  readonly end: 'stop' | 'kill';
  /** Messages the writer acknowledges; the reader adds a tenth of it. */
  readonly count: number;
  readonly seed: number;
  readonly segmentBytes: number;
  readonly log: (line: string) => void;
}

export interface RoundTripResult {
  /** One a reading: the writer's own, the reader's, the reader's with its own messages, the writer's again. */
  readonly reports: readonly { readonly who: string; readonly report: Report }[];
  /** What the checker does not look at: bytes, store times, ids, keys. In words. */
  readonly differences: readonly string[];
  readonly faultCount: number;
}

const topics: readonly TopicShape[] = [
  { topic: 'StoreTrip_A', queues: 4 },
  { topic: 'StoreTrip-b', queues: 3 },
  { topic: '%RETRY%StoreTrip', queues: 1 },
];

const group = 'store_trip_group';

/** What is remembered of an acknowledged message beside the ledger. */
interface Sent {
  readonly physicalOffset: number;
  readonly acknowledgedMs: number;
  readonly tag: string | undefined;
  readonly key: string | undefined;
  readonly topic: string;
}

class RoundTrip {
  readonly #options: RoundTripOptions;
  readonly #folder: string;
  readonly #ledger = new Ledger();
  readonly #maker: MessageMaker;
  readonly #sent = new Map<string, Sent>();
  /** A digest of each record's bytes, as first read, by its place in the log. */
  readonly #digests = new Map<number, string>();
  readonly #reports: { who: string; report: Report }[] = [];
  readonly #differences: string[] = [];
  readonly #startedMs = Date.now();
  #nameServer = '';
  #phase = 0;

  constructor(options: RoundTripOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#maker = new MessageMaker(options.seed, topics, 48 * 1024);
  }

  async run(): Promise<RoundTripResult> {
    const { writer, reader, count, end } = this.#options;
    const nameServer = await startNameServer(writer, this.#folder);
    try {
      this.#nameServer = nameServer.address;
      await this.#session(writer, async broker => {
        await this.#makeTopics(broker.address);
        await this.#fill(broker.address, count);
        await this.#readAll(broker.address, `${writer.name}, which wrote it`);
        await this.#commitOffsets(broker.address);
        await (end === 'kill' ? this.#killUnderLoad(broker) : broker.stop());
      });
      await this.#session(reader, async broker => {
        await this.#readAll(broker.address, `${reader.name} after the ${end}`);
        if (end === 'stop') {
          // Neither is promised when the writer had no time to write them.
          await this.#checkKeys(broker.address);
          await this.#checkOffsets(broker.address);
        }
        await this.#fill(broker.address, Math.ceil(count / 10));
        await this.#readAll(broker.address, `${reader.name} with messages of its own`);
        await broker.stop();
      });
      await this.#session(writer, async broker => {
        await this.#readAll(broker.address, `${writer.name} once more`);
        await broker.stop();
      });
    } finally {
      await nameServer.stop();
    }
    const faults = this.#reports.reduce((sum, { report }) => sum + report.faultCount, 0);
    return { reports: this.#reports, differences: this.#differences, faultCount: faults + this.#differences.length };
  }

  async #session(launchers: Launchers, work: (broker: ServerProcess) => Promise<void>): Promise<void> {
    this.#phase++;
    const prefix = launchers.segmentSizePrefix;
    const queueUnits = Math.max(100, Math.ceil(this.#options.count / 40)); // several segments a queue
    const broker = await startBroker(launchers, {
      nameServer: this.#nameServer,
      folder: this.#folder,
      settings: {
        flushDiskType: 'ASYNC_FLUSH',
        // A message fits a segment, however small these are.
        maxMessageSize: '1048576',
        [`${prefix}CommitLog`]: String(this.#options.segmentBytes),
        [`${prefix}ConsumeQueue`]: String(20 * queueUnits),
      },
    });
    try {
      await work(broker);
    } finally {
      await broker.kill();
    }
  }

  async #makeTopics(address: string): Promise<void> {
    const client = await RawClient.connect(address);
    for (const { topic, queues } of topics) await createTopic(client, topic, queues);
    client.close();
  }

  async #fill(address: string, count: number): Promise<void> {
    const startMs = performance.now();
    const result = await this.#load(address, count);
    if (result.acknowledged !== count) {
      const refused = JSON.stringify(Object.fromEntries(result.refused));
      throw new Error(`${result.acknowledged} of ${count} messages were acknowledged; refused by code: ${refused}`);
    }
    this.#options.log(`  wrote ${count} messages in ${Math.round(performance.now() - startMs)} ms`);
  }

  #load(address: string, count: number) {
    return runLoad({
      address,
      maker: this.#maker,
      ledger: this.#ledger,
      phase: this.#phase,
      window: 32,
      count,
      onAcknowledged: (message, msgId) => {
        const properties = message.properties ?? {};
        this.#sent.set(properties.UNIQ_KEY as string, {
          physicalOffset: physicalOffsetOf(msgId),
          acknowledgedMs: Date.now(),
          tag: properties.TAGS,
          key: properties.KEYS?.split(' ')[0],
          topic: message.topic,
        });
      },
    });
  }

  /** Adds up to a fifth again and kills the broker when about half of it is acknowledged. */
  async #killUnderLoad(broker: ServerProcess): Promise<void> {
    const before = this.#ledger.acknowledged;
    const more = Math.ceil(this.#options.count / 5);
    const load = this.#load(broker.address, more);
    const timer = setInterval(() => {
      if (this.#ledger.acknowledged - before >= more / 2) broker.kill();
    }, 1);
    await load;
    clearInterval(timer);
    await broker.kill();
    this.#options.log(`  killed after ${this.#ledger.acknowledged - before} more`);
  }

  async #readAll(address: string, who: string): Promise<void> {
    const client = await RawClient.connect(address);
    const judge = new Judge(this.#ledger);
    const ends = this.#ledger.ends();
    for (const { topic, queues } of topics) {
      for (let queueId = 0; queueId < queues; queueId++) {
        const onRecord = (record: RawRecord) => {
          judge.onStored(storedOf(record));
          this.#compare(record, who);
        };
        await pullQueue(client, topic, queueId, onRecord, { untilOffset: ends.get(queueKey(topic, queueId)) ?? 0 });
      }
    }
    client.close();
    const report = judge.report();
    this.#reports.push({ who, report });
    this.#options.log(`  read by ${who}: ${formatReport(report)}`);
  }

  #compare(record: RawRecord, who: string): void {
    const at = `${who}: ${record.topic}:${record.queueId}@${record.queueOffset}`;
    const digest = createHash('sha1').update(record.bytes).digest('base64url');
    const before = this.#digests.get(record.physicalOffset);
    this.#digests.set(record.physicalOffset, before ?? digest);
    if (before && before !== digest) this.#differences.push(`${at}: other bytes than when it was first read`);
    const sent = this.#sent.get(record.properties.get('UNIQ_KEY') ?? '');
    if (!sent) return; // never acknowledged
    if (record.physicalOffset !== sent.physicalOffset) {
      this.#differences.push(`${at}: at ${record.physicalOffset} in the log, acknowledged as ${sent.physicalOffset}`);
    }
    if (record.properties.get('TAGS') !== sent.tag)
      this.#differences.push(`${at}: tag ${record.properties.get('TAGS')}`);
    if (record.storeTimestampMs < this.#startedMs || record.storeTimestampMs > sent.acknowledgedMs) {
      this.#differences.push(`${at}: stored at ${record.storeTimestampMs}, acknowledged at ${sent.acknowledgedMs}`);
    }
  }

  async #commitOffsets(address: string): Promise<void> {
    const client = await RawClient.connect(address);
    for (const { topic, queues } of topics) {
      for (let queueId = 0; queueId < queues; queueId++) await commitOffset(client, group, topic, queueId, 7 + queueId);
    }
    client.close();
  }

  async #checkOffsets(address: string): Promise<void> {
    const client = await RawClient.connect(address);
    for (const { topic, queues } of topics) {
      for (let queueId = 0; queueId < queues; queueId++) {
        const offset = await committedOffset(client, group, topic, queueId);
        if (offset === 7 + queueId) continue;
        this.#differences.push(
          `${this.#options.reader.name}: ${group} on ${topic}:${queueId} is at ${offset}, not ${7 + queueId}`,
        );
      }
    }
    client.close();
  }

  /** The key index of the writer, asked of the reader. */
  async #checkKeys(address: string): Promise<void> {
    const client = await RawClient.connect(address);
    const keyed = [...this.#sent].filter(([, sent]) => sent.key !== undefined);
    const step = Math.ceil(keyed.length / 20);
    for (let index = 0; index < keyed.length; index += step) {
      const [id, sent] = keyed[index] as [string, Sent];
      const found = await queryByKey(client, sent.topic, sent.key as string);
      if (!found.some(record => record.properties.get('UNIQ_KEY') === id)) {
        this.#differences.push(`${this.#options.reader.name}: ${sent.topic} ${id} is not found by its key ${sent.key}`);
      }
    }
    client.close();
  }
}

/** Errors: Error when a broker does not start or refuses a message; faults are in the result. */
export async function runRoundTrip(options: RoundTripOptions): Promise<RoundTripResult> {
  const folder = temporaryFolder();
  try {
    return await new RoundTrip(options, folder).run();
  } finally {
    removeFolder(folder);
  }
}

export function formatRoundTrip(result: RoundTripResult): string {
  const shown = result.differences.slice(0, 10);
  return [
    ...result.reports.map(({ who, report }) => `${who}: ${formatReport(report)}`),
    ...shown.map(difference => `  difference: ${difference}`),
    `${result.faultCount} faults`,
  ].join('\n');
}
