/**
 * What counting costs a message that is stored and pulled: everything behind statistics, latencies and the counters of
 * actors, without the message.
 */
import { GroupCounts } from '../../actors/group-counts.js';
import { GroupTraffic } from '../../actors/group-traffic.js';
import { QueueTraffic } from '../../actors/queue-traffic.js';
import { assert } from '../../runtime/base/assert.js';
import { Counter, Counters } from '../../runtime/memory/counters.js';
import { Latencies } from '../../runtime/memory/latencies.js';
import { Ring } from '../../runtime/memory/ring.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface StatisticsParameters {
  readonly messages: number;
}

export const parameters = { smoke: { messages: 32_000 }, real: { messages: 32_000_000 } } as const;

const QUEUES = 4;
const FRAME_BYTES = 400;
const RECORD_BYTES = 250;
/** Messages of one answer to a pull. */
const PULL = 32;

class Broker {
  readonly remoting = new Counters();
  readonly writer = new Counters();
  readonly queues = new QueueTraffic();
  readonly waits = new Latencies();
  readonly putLatencies = new Latencies();
  readonly getLatencies = new Latencies();
  readonly groups = new GroupCounts(new GroupTraffic(), new Ring(Ring.allocate(4096)));

  /** Remoting takes it and answers it, its lane took it from a ring, the writer and the dispatcher stored it. */
  countSend(message: number): void {
    this.remoting.add(Counter.requestsIn);
    this.remoting.add(Counter.bytesIn, FRAME_BYTES);
    this.waits.add(0);
    this.writer.add(Counter.messagesAppended, 1);
    this.queues.add(message & (QUEUES - 1), RECORD_BYTES);
    this.putLatencies.add(message & 1);
    this.remoting.add(Counter.responsesOut);
    this.remoting.add(Counter.bytesOut, FRAME_BYTES);
  }

  countPull(message: number): void {
    this.remoting.add(Counter.requestsIn);
    this.remoting.add(Counter.bytesIn, FRAME_BYTES);
    this.groups.add('TopicTest', 'consumers', PULL, PULL * RECORD_BYTES);
    this.getLatencies.add(message & 1);
    this.remoting.add(Counter.responsesOut);
    this.remoting.add(Counter.bytesOut, PULL * RECORD_BYTES);
  }
}

export const run = ({ messages }: StatisticsParameters): BenchmarkCase[] => {
  const broker = new Broker();
  const watch = new Stopwatch(0);
  for (let message = 0; message < messages; message++) {
    broker.countSend(message);
    if (message % PULL === 0) broker.countPull(message);
  }
  const result = watch.result(messages);
  let stored = 0;
  for (let queue = 0; queue < QUEUES; queue++) stored += broker.queues.messages(queue);
  assert(stored === messages, 'every message is counted');
  return [{ name: 'statistics', parameters: { messages, pull: PULL }, ...result, checksum: stored }];
};
