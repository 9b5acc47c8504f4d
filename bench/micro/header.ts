/**
 * Reading a request's header: the scan in place beside `JSON.parse`, and the binary form, for a send and for a pull.
 * Each way ends with the fields a handler needs: two numbers and the length of a text.
 */
import { SerializeType } from '../../protocol/codes.js';
import { createRequest, encodeCommand } from '../../protocol/command.js';
import { FRAME_PREFIX_SIZE, headerLength } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import { createPullMessageIndex, PullMessageSlot } from '../../protocol/headers/pull-message.js';
import { SendMessageIndex, SendMessageSlot } from '../../protocol/headers/send-message.js';
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface HeaderParameters {
  readonly headers: number;
}

export const parameters = { smoke: { headers: 2_000 }, real: { headers: 1_000_000 } } as const;

const properties = 'UNIQ_KEY\u00010A00000200002A9F7328FAD80001\u0002WAIT\u0001true\u0002TAGS\u0001TagA';

/** What a 4.9 producer and a push consumer send. */
const requests = {
  'send V2': createRequest(310, {
    a: 'bench_producer',
    b: 'TopicTest',
    c: 'TBW102',
    d: 4,
    e: 3,
    f: 0,
    g: 1_795_423_265_496,
    h: 0,
    i: properties,
    j: 0,
    k: false,
    m: false,
    n: 'broker-a',
  }),
  pull: createRequest(11, {
    queueId: 3,
    maxMsgNums: 32,
    sysFlag: 2,
    suspendTimeoutMillis: 15_000,
    commitOffset: 0,
    bname: 'broker-a',
    topic: 'TopicTest',
    queueOffset: 1_234_567,
    expressionType: 'TAG',
    subVersion: 1_795_423_303_013,
    consumerGroup: 'bench_consumer',
  }),
} as const;

type RequestName = keyof typeof requests;

/** Reads the header `bytes[start, end)`; returns something of every field it needs. */
type Reader = (bytes: Uint8Array, start: number, end: number) => number;

function viewReader(name: RequestName, serializeType: SerializeType): Reader {
  const view = new HeaderView();
  const send = new SendMessageIndex();
  const pull = createPullMessageIndex();
  const read = (bytes: Uint8Array, start: number, end: number): void => {
    assert(view.read(bytes, start, end, serializeType), 'the header is read');
  };
  const textSize = (index: number): number => view.valueEnd[index]! - view.valueStart[index]!;
  if (name === 'pull') {
    return (bytes, start, end) => {
      read(bytes, start, end);
      pull.read(view);
      const { slots } = pull;
      const numbers = view.integer(slots[PullMessageSlot.queueId]!) + view.integer(slots[PullMessageSlot.queueOffset]!);
      return numbers + textSize(slots[PullMessageSlot.topic]!);
    };
  }
  return (bytes, start, end) => {
    read(bytes, start, end);
    send.read(view, view.code);
    const { slots } = send;
    const numbers = view.integer(slots[SendMessageSlot.queueId]!) + view.integer(slots[SendMessageSlot.bornTimestamp]!);
    return numbers + textSize(slots[SendMessageSlot.topic]!);
  };
}

function parseReader(name: RequestName): Reader {
  const [first, second, text] = name === 'pull' ? ['queueId', 'queueOffset', 'topic'] : ['e', 'g', 'b'];
  return (bytes, start, end) => {
    const json = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    const { extFields } = JSON.parse(json) as { extFields: Record<string, string> };
    return Number(extFields[first!]) + Number(extFields[second!]) + extFields[text!]!.length;
  };
}

function runOne(kind: string, name: RequestName, headers: number): BenchmarkCase {
  const serializeType = kind === 'binary' ? SerializeType.ROCKETMQ : SerializeType.JSON;
  const frame = encodeCommand({ ...requests[name], serializeType });
  // Shared, as the ring of a lane is.
  const bytes = new Uint8Array(new SharedArrayBuffer(frame.length));
  bytes.set(frame);
  const end = FRAME_PREFIX_SIZE + headerLength(bytes, 0);
  const read = kind === 'JSON.parse' ? parseReader(name) : viewReader(name, serializeType);
  for (let warm = 0; warm < 1000; warm++) read(bytes, FRAME_PREFIX_SIZE, end);
  let checksum = 0;
  const watch = new Stopwatch(0);
  for (let header = 0; header < headers; header++) checksum = (checksum + read(bytes, FRAME_PREFIX_SIZE, end)) >>> 0;
  const headerBytes = end - FRAME_PREFIX_SIZE;
  return {
    name: `header/${kind}`,
    parameters: { headers, request: name, headerBytes },
    ...watch.result(headers),
    checksum,
  };
}

/** All cases one after another. Errors: asserts that all ways read the same. */
export async function run({ headers }: HeaderParameters): Promise<BenchmarkCase[]> {
  const results: BenchmarkCase[] = [];
  for (const name of Object.keys(requests) as RequestName[]) {
    const ways = ['scan', 'JSON.parse', 'binary'].map(kind => runOne(kind, name, headers));
    assert(new Set(ways.map(way => way.checksum)).size === 1, `all ways read a ${name} alike`);
    results.push(...ways);
  }
  return results;
}
