/** Appends of a room: results in order, and nothing out of order behind a refusal. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrokerAppends } from '../../../actors/broker-appends.js';
import { AppendRequest } from '../../../actors/commit-log-writer/mailbox.js';
import { AppendResult, OutboundType } from '../../../actors/remoting/mailbox.js';
import { CountingBell, makeRing, takeAll } from '../../support/rooms.js';

const appends = suite('actors/broker-appends');

function makeRoom(pendingMax = 10) {
  const toWriter = makeRing(64 * 1024);
  const results = makeRing(64 * 1024);
  const writerBell = new CountingBell();
  const room = new BrokerAppends({ toWriter, writerBell, results, pendingMax });
  const send = (tag: number): boolean => {
    if (!room.claim(100)) return false;
    room.commit(room.at + 50, 7, tag);
    return true;
  };
  const answer = (tag: number, code: number): void => {
    const word = results.claim(AppendResult.sizes * 4) >> 2;
    results.words[word + AppendResult.opaque] = tag;
    results.words[word + AppendResult.code] = code;
    results.commit(OutboundType.APPEND_RESULT, AppendResult.sizes * 4);
  };
  const heard: [number, number][] = [];
  const drain = (): number => room.drain((tag, code) => heard.push([tag, code]));
  /** Tag and attempt of what the writer got. */
  const sent = (): number[][] =>
    takeAll(toWriter).map(({ bytes }) => {
      const words = new Int32Array(bytes.buffer, 0, AppendRequest.recordBytes >> 2);
      return [words[AppendRequest.opaque]!, words[AppendRequest.attempt]!];
    });
  return { room, send, answer, drain, heard, sent, writerBell };
}

appends('no more than so many without a result, and the writer is rung once a cycle', () => {
  const { room, send, answer, drain, writerBell } = makeRoom(2);
  assert.equal([send(1), send(2), send(3)], [true, true, false]);
  room.ringWriter();
  room.ringWriter();
  assert.is(writerBell.rings, 1);
  answer(1, 0);
  assert.equal([drain(), room.pending, send(3)], [1, 1, true]);
});

appends('after a refusal nothing is asked for until all results are there, and then as a new attempt', () => {
  const { room, send, answer, drain, heard, sent } = makeRoom();
  for (const tag of [1, 2, 3]) send(tag);
  answer(1, 0);
  answer(2, 14);
  drain();
  assert.equal([send(4), room.pending], [false, 1]);
  answer(3, 14);
  drain();
  assert.equal(heard, [
    [1, 0],
    [2, 14],
    [3, 14],
  ]);
  assert.is(send(2), true);
  assert.equal(sent(), [
    [1, 0],
    [2, 0],
    [3, 0],
    [2, 1],
  ]);
});

appends('a record that fits no ring is known before', () => {
  const { room } = makeRoom();
  assert.equal([room.fits(1000), room.fits(40_000)], [true, false]);
});

appends.run();
