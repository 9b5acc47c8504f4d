/** The name registry at its rings. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NameRegistryActor } from '../../../../actors/name-registry/actor.js';
import { OutboundType } from '../../../../actors/remoting/mailbox.js';
import {
  CountingBell,
  fillRing,
  frameOf,
  makeRing,
  putInbound,
  takeAll,
  takeOutbound,
} from '../../../support/rooms.js';

const registry = suite('actors/name-registry');

class Room {
  readonly fromRemoting = makeRing();
  readonly toRemoting = makeRing(4096);
  readonly actor = new NameRegistryActor({
    fromRemoting: this.fromRemoting,
    toRemoting: this.toRemoting,
    remotingBell: new CountingBell(),
    effects: {
      kvStore: { load: () => null, save: () => {} },
      log: { info: () => {}, warn: () => {} },
      configText: () => '',
      updateConfig: () => ({ code: 0, remark: null }),
    },
    behaviour: { orderMessageEnable: false },
  });
  nowMs = 1_700_000_000_000;

  /** Codes of the answers to a request, after a turn. */
  ask(code: number, fields: Record<string, string>): (number | undefined)[] {
    putInbound(this.fromRemoting, frameOf(code, fields));
    this.actor.doWork(this.nowMs);
    return takeOutbound(this.toRemoting).map(({ command }) => command?.code);
  }
}

registry('an answer that fits no ring is refused, and holds up nobody', () => {
  const room = new Room();
  const large = { namespace: 'n', key: 'large' };
  assert.equal(room.ask(100, { ...large, value: 'x'.repeat(5000) }), [0]);
  assert.equal(room.ask(101, large), [1]);
  assert.equal(room.ask(101, { namespace: 'n', key: 'none' }), [22]);
});

registry('an answer that remoting has no room for is tried again soon', () => {
  const room = new Room();
  fillRing(room.toRemoting, OutboundType.FRAME);
  putInbound(room.fromRemoting, frameOf(101, { namespace: 'n', key: 'k' }));
  room.actor.doWork(room.nowMs);
  assert.ok(room.actor.deadlineMs() <= room.nowMs + 10);
  takeAll(room.toRemoting);
  room.actor.doWork(room.nowMs);
  assert.equal(
    takeOutbound(room.toRemoting).map(({ command }) => command?.code),
    [22],
  );
  assert.ok(room.actor.deadlineMs() > room.nowMs + 1000);
});

registry.run();
