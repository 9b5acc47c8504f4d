/**
 * The key index against a list of all keys, with few slots and small files so that chains are long and files many;
 * and what power failures at every step leave of it.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keyHashOf } from '../../../protocol/index-record.js';
import {
  type MessageIndexConfig,
  MessageIndexReader,
  MessageIndexWriter,
  recoverIndex,
} from '../../../storage/message-index.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../../support/faulty-disk.js';
import { rangesOf } from '../../support/property-ranges.js';

const indexProperties = suite('property storage/message-index');

const folder = '/index';
const beginMs = 1_700_000_000_000;
const forever = Number.MAX_SAFE_INTEGER;

interface Message {
  readonly topic: string;
  readonly uniqKey: string;
  readonly keys: readonly string[];
  readonly afterMs: number;
}

interface ModelEntry {
  readonly hash: number;
  readonly offset: number;
  readonly shownMs: number;
}

/** What the specification says of files and times, in the plainest form. */
class Model {
  readonly #perFile: number;
  readonly #slotCount: number;
  readonly #files: { beginMs: number; endMs: number; entries: ModelEntry[] }[] = [];

  constructor(config: MessageIndexConfig) {
    this.#perFile = config.maxIndexNum - 1;
    this.#slotCount = config.maxHashSlotNum;
  }

  add(topic: string, key: string, offset: number, storeMs: number): void {
    let file = this.#files.at(-1);
    let deltaFromMs = file?.beginMs ?? storeMs;
    if (file === undefined || file.entries.length === this.#perFile) {
      deltaFromMs = file?.endMs ?? storeMs;
      file = { beginMs: storeMs, endMs: storeMs, entries: [] };
      this.#files.push(file);
    }
    const seconds = Math.floor((storeMs - deltaFromMs) / 1000);
    file.entries.push({ hash: keyHashOf(topic, key), offset, shownMs: file.beginMs + seconds * 1000 });
    file.endMs = storeMs;
  }

  query(topic: string, key: string, maxNum: number, fromMs: number, toMs: number): number[] {
    const hash = keyHashOf(topic, key);
    const found: number[] = [];
    for (const file of this.#files.toReversed()) {
      for (const entry of file.entries.toReversed()) {
        if (fromMs > file.endMs || toMs < file.beginMs) break;
        if (entry.hash % this.#slotCount !== hash % this.#slotCount) continue;
        if (entry.hash === hash && entry.shownMs >= fromMs && entry.shownMs <= toMs) found.push(entry.offset);
        if (entry.shownMs < fromMs) break;
      }
      if (file.beginMs < fromMs) break;
    }
    return found.slice(0, maxNum);
  }
}

function putMessage(writer: MessageIndexWriter, message: Message, offset: number, storeMs: number): number {
  const items = [`KEYS\u0001${message.keys.join(' ')}`, 'TAGS\u0001t', `UNIQ_KEY\u0001${message.uniqKey}`];
  const topic = Buffer.from(message.topic);
  const bytes = Buffer.concat([topic, Buffer.from(items.join('\u0002'))]);
  const properties = rangesOf(bytes, topic.length, bytes.length);
  return writer.putRecord(bytes, 0, topic.length, properties, offset, storeMs);
}

const allKeys = (message: Message): string[] => [message.uniqKey, ...message.keys];

const key = fc.oneof(
  fc.constantFrom('a', 'Aa', 'BB', 'OrderID188', 'Größe', '中文', '😀'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).filter(text => !/[\u0001\u0002 ]/.test(text)),
);
const message: fc.Arbitrary<Message> = fc.record({
  topic: fc.constantFrom('T', 'TopicTest', '主题'),
  uniqKey: key,
  keys: fc.array(key, { maxLength: 4 }),
  afterMs: fc.integer({ min: 0, max: 4000 }),
});
const config: fc.Arbitrary<MessageIndexConfig> = fc.record({
  folder: fc.constant(folder),
  maxHashSlotNum: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.constant(3000)),
  maxIndexNum: fc.integer({ min: 2, max: 40 }),
});
const step = fc.record({ message, write: fc.constantFrom('no', 'no', 'write', 'reopen', 'again') });

indexProperties('answers as a list of all keys would', () => {
  fc.assert(
    fc.property(
      config,
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.tuple(fc.integer({ min: -2000, max: 120_000 }), fc.integer({ min: 0, max: 120_000 })),
      (config, steps, maxNum, [fromMs, spanMs]) => {
        const disk = new MemoryDisk();
        const model = new Model(config);
        const openWriter = () => new MessageIndexWriter(disk, config, { nowMs: () => beginMs });
        let writer = openWriter();
        const reader = new MessageIndexReader(disk, config);
        let storeMs = beginMs;
        for (const [number, { message, write }] of steps.entries()) {
          storeMs += message.afterMs;
          assert.is(putMessage(writer, message, number * 100, storeMs), allKeys(message).length);
          for (const key of allKeys(message)) model.add(message.topic, key, number * 100, storeMs);
          if (write === 'write') writer.write(storeMs, true);
          if (write === 'again') assert.is(putMessage(writer, message, number * 100, storeMs), 0);
          if (write !== 'reopen') continue;
          writer.close();
          assert.is(recoverIndex(disk, config, 0, true, 0), Number.POSITIVE_INFINITY);
          writer = openWriter();
        }
        writer.write(storeMs, true);
        for (const { message } of steps) {
          for (const key of allKeys(message)) {
            for (const [from, to] of [[0, forever] as const, [beginMs + fromMs, beginMs + fromMs + spanMs] as const]) {
              const answer = reader.query(message.topic, key, maxNum, from, to);
              assert.equal(answer.physicalOffsets, model.query(message.topic, key, maxNum, from, to));
              assert.is(answer.indexLastUpdateTimestamp, storeMs);
              assert.is(answer.indexLastUpdatePhyoffset, (steps.length - 1) * 100);
            }
          }
        }
        writer.close();
        reader.close();
      },
    ),
    { numRuns: 150 },
  );
});

indexProperties(
  'no key is lost or doubled by a power failure, once the log is read again from where recovery says',
  () => {
    fc.assert(
      fc.property(
        config,
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (config, steps, powerChanges, seed) => {
          const disk = new MemoryDisk();
          let checkpointMs = 0;
          const onFileFull = (endMs: number): void => {
            checkpointMs = endMs;
          };
          const options = { nowMs: () => beginMs, onFileFull };
          const failing = new MessageIndexWriter(new FaultyDisk(disk, { powerChanges }), config, options);
          // One millisecond for all keys of a message, another for each message.
          const putAll = (writer: MessageIndexWriter, from: number): number => {
            let number = from;
            for (; number < steps.length; number++) {
              const { message, write } = steps[number]!;
              try {
                putMessage(writer, message, number * 100, beginMs + number);
                if (write !== 'no') writer.write(0, true);
              } catch (error) {
                if (error instanceof PowerFailure) break;
                throw error;
              }
            }
            return number;
          };
          const reached = putAll(failing, 0);
          disk.crash(seed);
          const from = recoverIndex(disk, config, checkpointMs, false, 0);
          const writer = new MessageIndexWriter(disk, config, options);
          putAll(writer, Math.min(from / 100, reached));
          writer.close();
          const reader = new MessageIndexReader(disk, config);
          for (const { message } of steps) {
            for (const key of allKeys(message)) {
              const expected: number[] = [];
              for (const [number, other] of steps.entries()) {
                for (const otherKey of allKeys(other.message)) {
                  const same = keyHashOf(other.message.topic, otherKey) === keyHashOf(message.topic, key);
                  if (same) expected.unshift(number * 100);
                }
              }
              assert.equal(reader.query(message.topic, key, 1000, 0, forever).physicalOffsets, expected);
            }
          }
          reader.close();
        },
      ),
      { numRuns: 300 },
    );
  },
);

indexProperties.run();
