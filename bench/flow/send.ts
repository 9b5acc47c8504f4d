/**
 * The way of a send without its sockets: prepared SEND_MESSAGE_V2 frames from remoting's ring through lane and writer,
 * with one write to a real file a turn, to the results that remoting would answer. One thread, so the rate is that of a
 * core.
 */
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';
import { FlowRooms, queues } from './support/flow-rooms.js';
import { Sending } from './support/sending.js';

export interface SendParameters {
  /** A multiple of the largest turn. */
  readonly messages: number;
}

export const parameters = { smoke: { messages: 2048 }, real: { messages: 512_000 } } as const;

function measure(messages: number, bodyBytes: number, perTurn: number): BenchmarkCase {
  const rooms = new FlowRooms();
  try {
    const sending = new Sending(rooms, bodyBytes);
    const watch = new Stopwatch(messages / perTurn);
    for (let sent = 0; sent < messages; sent += perTurn) {
      watch.startTurn();
      sending.turn(perTurn);
      watch.endTurn();
    }
    const result = watch.result(messages);
    const perQueue = messages / queues;
    assert(sending.offsetSum === queues * ((perQueue * (perQueue - 1)) / 2), 'each queue counts from 0 without a gap');
    assert(sending.end === rooms.shop.positions.read('appended'), 'the last answer is for the end of the log');
    return { name: 'flow/send', parameters: { messages, bodyBytes, perTurn }, ...result, checksum: sending.offsetSum };
  } finally {
    rooms.close();
  }
}

export const run = async ({ messages }: SendParameters): Promise<BenchmarkCase[]> => [
  measure(messages, 128, 1),
  measure(messages, 128, 64),
  measure(messages, 128, 512),
  measure(messages, 1024, 64),
];
