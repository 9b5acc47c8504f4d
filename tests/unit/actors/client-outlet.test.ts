/** Answers to clients: in order, and none lost while remoting's ring is full. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientOutlet } from '../../../actors/client-outlet.js';
import { OutboundFrame, OutboundType } from '../../../actors/remoting/mailbox.js';
import { silentLogger } from '../../../runtime/log/contract.js';
import type { Ring } from '../../../runtime/memory/ring.js';
import { CountingBell, makeRing } from '../../support/rooms.js';

const test = suite('actors/client-outlet');

/** Type, connection and length of everything in the ring. */
function taken(ring: Ring): [number, number, number][] {
  const records: [number, number, number][] = [];
  for (let at = ring.poll(); at >= 0; at = ring.poll()) {
    records.push([ring.type, ring.words[at >> 2]!, ring.length - OutboundFrame.frameBytes]);
    ring.release();
  }
  ring.publishReleased();
  return records;
}

test('answers, permits and ends of connections go in their order, behind what waits', () => {
  const ring = makeRing(4096);
  const bell = new CountingBell();
  const outlet = new ClientOutlet(ring, bell, silentLogger);
  const large = new Uint8Array(1000);
  for (let connectionId = 1; !outlet.isWaiting; connectionId++) outlet.send(connectionId, large);
  outlet.returnPermit(90);
  outlet.send(91, undefined);
  assert.is(outlet.retry(), 0, 'no room yet');
  const first = taken(ring);
  assert.ok(first.every(([type]) => type === OutboundType.FRAME));
  assert.is(outlet.retry(), 3);
  assert.not(outlet.isWaiting);
  assert.equal(taken(ring), [
    [OutboundType.FRAME, first.length + 1, 1000],
    [OutboundType.SEND_REFUSED, 90, 0],
    [OutboundType.CLOSE, 91, 0],
  ]);
  outlet.ringBell();
  outlet.ringBell();
  assert.is(bell.rings, 1, 'only when there is something new');
});

test('an answer that fits no ring gives its permit back', () => {
  const ring = makeRing(4096);
  const outlet = new ClientOutlet(ring, new CountingBell(), silentLogger);
  outlet.send(1, new Uint8Array(8192), OutboundType.SEND_REFUSED);
  outlet.send(2, new Uint8Array(8192));
  assert.equal(taken(ring), [[OutboundType.SEND_REFUSED, 1, 0]]);
});

test.run();
