/** Sends through lane and writer, and what the writer answers. */
import { AppendResult, join64, OutboundType } from '../../../actors/remoting/mailbox.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import type { Actor } from '../../../runtime/actor/contract.js';
import { assert } from '../../../runtime/base/assert.js';
import type { Ring } from '../../../runtime/memory/ring.js';
import { type FlowRooms, inboundFrameType, inboundRecord, queues, topic } from './flow-rooms.js';

/** Prepared requests, sent again and again. */
const PREPARED = 1024;

function prepareSends(bodyBytes: number): Uint8Array[] {
  const body = new Uint8Array(bodyBytes).fill(0x61);
  return Array.from({ length: PREPARED }, (_, index) => {
    const uniqueKey = `0A00000100002A9F0000000000${index.toString(16).toUpperCase().padStart(6, '0')}`;
    return inboundRecord(
      RequestCode.SEND_MESSAGE_V2,
      {
        a: 'bench',
        b: topic,
        c: 'TBW102',
        d: 4,
        e: index % queues,
        f: 0,
        g: 1_700_000_000_000,
        h: 0,
        i: `UNIQ_KEY\u0001${uniqueKey}\u0002WAIT\u0001true`,
        j: 0,
        k: false,
        m: false,
      },
      body,
    );
  });
}

export class Sending {
  readonly #lane: Actor;
  readonly #writer: Actor;
  readonly #inbox: Ring;
  readonly #results: Ring;
  readonly #prepared: readonly Uint8Array[];
  #next = 0;
  /** Sum of the queue offsets that were given. */
  offsetSum = 0;
  /** End of the last record that was answered. Units: bytes in the log. */
  end = 0;

  constructor(rooms: FlowRooms, bodyBytes: number) {
    this.#prepared = prepareSends(bodyBytes);
    this.#lane = rooms.open('send-lane');
    this.#writer = rooms.open('commit-log-writer');
    this.#inbox = rooms.shop.ring('remoting', this.#lane.name);
    this.#results = rooms.shop.ring(this.#writer.name, 'remoting');
  }

  /** One turn: `count` requests come in, all are answered. Errors: asserts that each was stored. */
  turn(count: number): void {
    for (let index = 0; index < count; index++) {
      const offered = this.#inbox.offer(inboundFrameType, this.#prepared[this.#next % PREPARED]!);
      assert(offered, 'the ring takes a turn of requests');
      this.#next++;
    }
    const nowMs = Date.now();
    for (let answered = 0; answered < count; ) {
      const work = this.#lane.doWork(nowMs) + this.#writer.doWork(nowMs);
      answered += this.#takeResults();
      assert(work > 0 || answered === count, 'there is work until all is answered');
    }
  }

  #takeResults(): number {
    const ring = this.#results;
    let taken = 0;
    for (let at = ring.poll(); at >= 0; at = ring.poll(), taken++) {
      const word = at >> 2;
      const { words } = ring;
      assert(ring.type === OutboundType.APPEND_RESULT, 'nothing is refused');
      assert(words[word + AppendResult.code] === ResponseCode.SUCCESS, 'all is stored');
      this.offsetSum += words[word + AppendResult.queueOffsetLow]!;
      const low = words[word + AppendResult.physicalOffsetLow]!;
      const high = words[word + AppendResult.physicalOffsetHigh]!;
      this.end = join64(low, high) + words[word + AppendResult.size]!;
      ring.release();
    }
    if (taken > 0) ring.publishReleased();
    return taken;
  }
}
