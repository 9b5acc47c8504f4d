/** Answers to sends that wait for a slave, the disk, or both. Source: spec ha 3.1. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../../actors/remoting/connection.js';
import { ConnectionTable } from '../../../../actors/remoting/connection-table.js';
import { AppendFlag, AppendResult, OutboundType } from '../../../../actors/remoting/mailbox.js';
import { SendAnswers } from '../../../../actors/remoting/send-answers.js';
import { StoreState } from '../../../../actors/store-state.js';
import { decodeCommand } from '../../../../protocol/command.js';
import { SendResponseEncoder } from '../../../../protocol/send-response.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Latencies } from '../../../../runtime/memory/latencies.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { makeRecorder, makeRing } from '../../../support/rooms.js';

const answers = suite('actors/remoting/send-answers');

const REPLICA = AppendFlag.WAIT_REPLICA;
const FLUSH = AppendFlag.WAIT_FLUSH;

class Gate {
  readonly positions = new Positions();
  readonly storeState = new SharedFlags();
  readonly answers: SendAnswers;
  nowMs = 1_700_000_000_000;
  readonly #ring = makeRing(64 * 1024);
  readonly #out = new Uint8Array(64 * 1024);
  #end = 0;
  readonly #id: number;

  constructor() {
    this.storeState.set(StoreState.HAS_SLAVE);
    const connections = new ConnectionTable(4);
    const connection = {
      reserve: () => this.#end,
      outBytes: this.#out,
      reserved: (end: number) => {
        this.#end = end;
      },
    };
    this.#id = connections.add(id => ({ ...connection, id }) as unknown as Connection)!.id;
    this.answers = new SendAnswers(
      {
        positions: this.positions,
        counters: new Counters(),
        encoder: new SendResponseEncoder({ storeAddress: 1, storePort: 1 }, 'R', true),
        maxInflight: 64,
        syncFlushTimeoutMs: 5000,
        slaveTimeoutMs: 3000,
        haSlaveFallbehindMax: 1000,
        storeState: this.storeState,
        recorder: makeRecorder(),
        putLatencies: new Latencies(),
      },
      connections,
      () => {},
    );
  }

  /** A record of 100 bytes was appended. */
  append(opaque: number, flags: number, end: number): void {
    const ring = this.#ring;
    const at = ring.claim(AppendResult.sizes * 4);
    ring.words.fill(0, at >> 2, (at >> 2) + AppendResult.sizes);
    ring.words[(at >> 2) + AppendResult.connectionId] = this.#id;
    ring.words[(at >> 2) + AppendResult.opaque] = opaque;
    ring.words[(at >> 2) + AppendResult.flags] = flags;
    ring.words[(at >> 2) + AppendResult.count] = 1;
    ring.words[(at >> 2) + AppendResult.physicalOffsetLow] = end - 100;
    ring.words[(at >> 2) + AppendResult.size] = 100;
    ring.words[(at >> 2) + AppendResult.arrivedMs] = this.nowMs | 0;
    ring.commit(OutboundType.APPEND_RESULT, AppendResult.sizes * 4);
    this.answers.inflight++;
    this.answers.onAppendResult(ring, ring.poll() >> 2);
    ring.release();
    ring.publishReleased();
  }

  /** Who was answered so far, with which code: `opaque:code`. */
  heard(): string[] {
    this.answers.release(this.nowMs);
    const heard: string[] = [];
    for (let at = 0; at < this.#end; ) {
      const size = 4 + new DataView(this.#out.buffer).getInt32(at);
      const { opaque, code } = decodeCommand(this.#out.slice(at, at + size));
      heard.push(`${opaque}:${code}`);
      at += size;
    }
    return heard;
  }
}

answers('who waits for a slave is answered when one has the record, in order', () => {
  const gate = new Gate();
  for (const [opaque, end] of [
    [1, 100],
    [2, 200],
    [3, 300],
  ] as const) {
    gate.append(opaque, REPLICA, end);
  }
  assert.equal(gate.heard(), []);
  gate.positions.publish('replicated', 250);
  assert.equal(gate.heard(), ['1:0', '2:0']);
  gate.positions.publish('replicated', 300);
  assert.equal(gate.heard(), ['1:0', '2:0', '3:0']);
  assert.is(gate.answers.inflight, 0);
});

answers('with both policies the later of the two counts, whichever it is', () => {
  for (const [first, second] of [
    ['flushed', 'replicated'],
    ['replicated', 'flushed'],
  ] as const) {
    const gate = new Gate();
    gate.append(1, REPLICA | FLUSH, 100);
    gate.positions.publish(first, 100);
    assert.equal(gate.heard(), [], first);
    gate.positions.publish(second, 100);
    assert.equal(gate.heard(), ['1:0']);
  }
});

answers('without a slave, or with one too far behind, nobody waits for it: 11', () => {
  const gate = new Gate();
  gate.append(1, REPLICA, 1000);
  assert.equal(gate.heard(), ['1:11'], 'the best slave is 1000 bytes behind');
  gate.positions.publish('replicated', 1000);
  gate.append(2, REPLICA, 1100);
  gate.storeState.clear(StoreState.HAS_SLAVE);
  gate.append(3, REPLICA, 1200);
  assert.equal(gate.heard(), ['1:11', '3:11'], 'the second waits: it came while there was a slave');
  gate.append(4, REPLICA | FLUSH, 1300);
  gate.append(5, FLUSH, 1400);
  assert.equal(gate.heard(), ['1:11', '3:11'], 'but for the disk all the same');
  gate.positions.publish('flushed', 1400);
  assert.equal(gate.heard(), ['1:11', '3:11', '4:11', '5:0']);
  gate.positions.publish('replicated', 1100);
  assert.equal(gate.heard().at(-1), '2:0');
});

answers('a slave that does not say it has the record: 12 after slaveTimeout, not before', () => {
  const gate = new Gate();
  gate.append(1, REPLICA, 100);
  assert.is(gate.answers.deadlineMs(gate.nowMs), gate.nowMs + 3000);
  gate.nowMs += 2999;
  assert.equal(gate.heard(), []);
  gate.nowMs += 1;
  assert.equal(gate.heard(), ['1:12']);
  gate.positions.publish('replicated', 100);
  assert.equal(gate.heard(), ['1:12'], 'answered once');
});

answers('late for both: the flush is waited for as long as it may take, and the slave is what is told of', () => {
  const gate = new Gate();
  gate.append(1, REPLICA | FLUSH, 100);
  gate.append(2, REPLICA | FLUSH, 200);
  gate.nowMs += 3000;
  assert.equal(gate.heard(), []);
  assert.is(gate.answers.deadlineMs(gate.nowMs), gate.nowMs + 2000);
  gate.positions.publish('flushed', 100);
  assert.equal(gate.heard(), ['1:12'], 'flushed, and the slave had its time');
  gate.nowMs += 2000;
  assert.equal(gate.heard(), ['1:12', '2:12']);
});

answers('only the disk is late: 10 after syncFlushTimeout, with a slave or without one it is 11', () => {
  const gate = new Gate();
  gate.append(1, REPLICA | FLUSH, 100);
  gate.positions.publish('replicated', 100);
  gate.storeState.clear(StoreState.HAS_SLAVE);
  gate.append(2, REPLICA | FLUSH, 200);
  gate.nowMs += 4999;
  assert.equal(gate.heard(), []);
  gate.nowMs += 1;
  assert.equal(gate.heard().sort(), ['1:10', '2:11']);
});

answers(
  'a clock that is set back holds nobody up: who waits is answered as late, who comes afterwards waits in turn',
  () => {
    const gate = new Gate();
    gate.append(1, REPLICA, 100);
    gate.append(2, FLUSH, 200);
    gate.nowMs -= 3_600_000;
    gate.append(3, REPLICA, 300);
    assert.ok(gate.answers.deadlineMs(gate.nowMs) <= gate.nowMs, 'at once');
    assert.equal(gate.heard().sort(), ['1:12', '2:10']);
    assert.is(gate.answers.deadlineMs(gate.nowMs), gate.nowMs + 3000);
    gate.nowMs += 3000;
    assert.equal(gate.heard().at(-1), '3:12');
  },
);

answers.run();
