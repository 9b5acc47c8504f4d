/**
 * What tracing asks of messages that nobody traces: a broker with key otlpEndpoint looks for `traceparent` in each, the
 * client asks for each whether an SDK is registered. Beside it, what looking finds in a message that is traced.
 */
import { joinsTrace } from '../../actors/span-notes.js';
import { isTracing } from '../../client/spans.js';
import { beginRecord, finishRecord, formatProperties } from '../../protocol/message-record.js';
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface SpansParameters {
  readonly messages: number;
}

export const parameters = { smoke: { messages: 2_000 }, real: { messages: 10_000_000 } } as const;

const fields = {
  ...{ queueId: 0, flag: 0, sysFlag: 0, bornTimestamp: 0, bornAddress: 0, bornPort: 0, storeAddress: 0, storePort: 0 },
  ...{ reconsumeTimes: 0, preparedTransactionOffset: 0 },
};
/** As a client writes them. */
const common: [string, string][] = [
  ['KEYS', 'order-1234567'],
  ['UNIQ_KEY', '7F0000010E2C63947C6B0000A1B20001'],
  ['CLUSTER', 'DefaultCluster'],
  ['TAGS', 'created'],
];
const traceparent: [string, string] = ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];

function recordWith(properties: readonly [string, string][]): Uint8Array {
  const target = new Uint8Array(new SharedArrayBuffer(1024));
  const lengthAt = beginRecord(target, 0, fields, 0, new Uint8Array(64), 0, 64, Buffer.from('Orders'));
  const text = Buffer.from(formatProperties(properties));
  target.set(text, lengthAt + 2);
  return target.subarray(0, finishRecord(target, 0, lengthAt, text.length));
}

function measure(name: string, messages: number, look: () => boolean, expected: boolean): BenchmarkCase {
  let found = 0;
  for (let warm = 0; warm < 1000; warm++) look();
  const watch = new Stopwatch(0);
  for (let message = 0; message < messages; message++) if (look()) found++;
  assert(found === (expected ? messages : 0), `${name}: what was looked for`);
  return { name: `spans/${name}`, parameters: { messages }, ...watch.result(messages), checksum: messages + found };
}

/** All cases one after another. Errors: asserts that what is looked for is found, or is not. */
export async function run({ messages }: SpansParameters): Promise<BenchmarkCase[]> {
  const plain = recordWith(common);
  const traced = recordWith([traceparent, ...common]);
  return [
    measure('broker looks, not traced', messages, () => joinsTrace(plain, 0, plain.length), false),
    measure('broker looks, traced', messages, () => joinsTrace(traced, 0, traced.length), true),
    measure('client asks, no SDK', messages, isTracing, false),
  ];
}
