/**
 * The way of a pull without its sockets: prepared PULL_MESSAGE frames for 32 messages each from remoting's ring through
 * the pull lane, which reads consume queues and log, to the answers that remoting would write. One thread.
 */
import { OutboundFrame, OutboundType } from '../../actors/remoting/mailbox.js';
import { PullSysFlag, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { decodeCommand } from '../../protocol/command.js';
import { assert } from '../../runtime/base/assert.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';
import { FlowRooms, inboundFrameType, inboundRecord, queues, topic } from './support/flow-rooms.js';
import { Sending } from './support/sending.js';

export interface PullParameters {
  /** A multiple of 32 in each of 8 queues, 256. */
  readonly messages: number;
}

export const parameters = { smoke: { messages: 2048 }, real: { messages: 512_000 } } as const;

const PER_PULL = 32;
const PER_TURN_OF_SENDS = 256;

/** One pull for each 32 messages: a stretch of every queue in turn, as consumers of all queues walk through a topic. */
function preparePulls(messages: number): Uint8Array[] {
  const pulls: Uint8Array[] = [];
  for (let offset = 0; offset < messages / queues; offset += PER_PULL) {
    for (let queueId = 0; queueId < queues; queueId++) {
      pulls.push(
        inboundRecord(RequestCode.PULL_MESSAGE, {
          consumerGroup: 'bench',
          topic,
          queueId,
          queueOffset: offset,
          maxMsgNums: PER_PULL,
          sysFlag: PullSysFlag.SUBSCRIPTION,
          commitOffset: 0,
          suspendTimeoutMillis: 0,
          subscription: '*',
          subVersion: 0,
          expressionType: 'TAG',
        }),
      );
    }
  }
  return pulls;
}

function fill(rooms: FlowRooms, messages: number, bodyBytes: number): void {
  const sending = new Sending(rooms, bodyBytes);
  const dispatcher = rooms.open('dispatcher');
  const { positions } = rooms.shop;
  let nowMs = Date.now();
  for (let sent = 0; sent < messages; sent += PER_TURN_OF_SENDS) sending.turn(PER_TURN_OF_SENDS);
  while (positions.read('dispatched') < positions.read('appended')) dispatcher.doWork(++nowMs);
}

function measure(messages: number, bodyBytes: number, perTurn: number): BenchmarkCase {
  const rooms = new FlowRooms();
  try {
    fill(rooms, messages, bodyBytes);
    const pulls = preparePulls(messages);
    const lane = rooms.open('pull-lane');
    const inbox = rooms.shop.ring('remoting', lane.name);
    const answers = rooms.shop.ring(lane.name, 'remoting');
    let bytes = 0;
    const watch = new Stopwatch(pulls.length / perTurn);
    for (let pull = 0; pull < pulls.length; pull += perTurn) {
      watch.startTurn();
      for (let index = pull; index < pull + perTurn; index++) inbox.offer(inboundFrameType, pulls[index]!);
      for (let answered = 0; answered < perTurn; ) {
        lane.doWork(Date.now());
        const before = answered;
        for (let at = answers.poll(); at >= 0; at = answers.poll(), answered++) {
          assert(answers.type === OutboundType.FRAME, 'a pull is answered with a frame');
          if (pull === 0 && answered === 0)
            checkFirst(answers.bytes.slice(at + OutboundFrame.frameBytes, at + answers.length));
          bytes += answers.length;
          answers.release();
        }
        answers.publishReleased();
        assert(answered > before, 'the lane answers what it was asked');
      }
      watch.endTurn();
    }
    const result = watch.result(messages);
    const counters = rooms.shop.counters(lane.name);
    assert(counters.read('messagesPulled') === messages, 'every message is pulled once');
    assert(counters.read('bytesPulled') === rooms.shop.positions.read('appended'), 'the answers hold the whole log');
    assert(bytes > counters.read('bytesPulled'), 'headers come on top');
    return {
      name: 'flow/pull',
      parameters: { messages, bodyBytes, perPull: PER_PULL, perTurn },
      ...result,
      checksum: counters.read('bytesPulled'),
    };
  } finally {
    rooms.close();
  }
}

/** An answer as a client reads it. */
function checkFirst(frame: Uint8Array): void {
  const { code, extFields } = decodeCommand(frame);
  assert(code === ResponseCode.SUCCESS, 'messages are found');
  assert(Number(extFields.nextBeginOffset) === PER_PULL, 'as many as were asked for');
}

export const run = async ({ messages }: PullParameters): Promise<BenchmarkCase[]> => [
  measure(messages, 128, 1),
  measure(messages, 128, 8),
  measure(messages, 1024, 1),
];
