import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { joinsTrace, SpanNotes } from '../../../actors/span-notes.js';
import { Note, NoteType } from '../../../actors/telemetry/mailbox.js';
import { VirtualClock } from '../../../runtime/base/clock.js';
import { Prng } from '../../../runtime/base/prng.js';
import { Counters } from '../../../runtime/memory/counters.js';
import { buildRecord } from '../../support/record-builder.js';
import { CountingBell, makeRing } from '../../support/rooms.js';

const notes = suite('actors/span-notes');

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function joins(...propertiesOfEach: string[]): boolean {
  const bytes = Buffer.concat(propertiesOfEach.map(properties => buildRecord({ properties })));
  return joinsTrace(bytes, 0, bytes.length);
}

const traceparent = (value: string): string => `KEYS\u0001k\u0002traceparent\u0001${value}\u0002TAGS\u0001a`;

notes('a record joins a trace when its context is recorded', () => {
  assert.ok(joins(traceparent(SAMPLED)));
  assert.ok(joins('', traceparent(SAMPLED)), 'one of a batch');
  assert.ok(joins(traceparent(`${SAMPLED.slice(0, -1)}b`)), 'other flags too');
  assert.not.ok(joins(traceparent(`${SAMPLED.slice(0, -1)}a`)));
  assert.not.ok(joins(traceparent(`${SAMPLED.slice(0, -1)}0`)));
  assert.not.ok(joins(traceparent(SAMPLED.slice(0, -1))), 'too short');
  assert.not.ok(joins(''));
  assert.not.ok(joins(`xtraceparent\u0001${SAMPLED}`));
  assert.not.ok(joins(`KEYS\u0001traceparent`));
});

notes('whatever stands in the properties, looking at it is safe', () => {
  const random = new Prng(7);
  for (let round = 0; round < 2000; round++) {
    const length = random.below(120);
    const alphabet = '\u0001\u0002t-019afz\u00e9';
    const noise = Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join('');
    assert.type(joins(noise), 'boolean');
    assert.type(joins(`traceparent\u0001${noise}`), 'boolean');
  }
});

function rig(capacity = 64 * 1024) {
  const clock = new VirtualClock();
  const ring = makeRing(capacity);
  const bell = new CountingBell();
  const counters = new Counters();
  return { clock, ring, bell, counters, notes: new SpanNotes({ ring, bell, counters, clock }) };
}

notes('a send is noted with the time it took', () => {
  const { clock, ring, bell, notes: written } = rig();
  const arrivedMs = clock.nowMs();
  clock.advance(3);
  written.stored(2 ** 40, 500, arrivedMs | 0, 10);
  const at = ring.poll();
  const word = (index: number): number => ring.words[(at >> 2) + index]!;
  assert.is(ring.type, NoteType.STORED);
  const join = (low: number, high: number): number => word(high) * 2 ** 32 + (word(low) >>> 0);
  assert.is(join(Note.physicalOffsetLow, Note.physicalOffsetHigh), 2 ** 40);
  assert.is(join(Note.startLow, Note.startHigh), arrivedMs * 1000);
  assert.is(join(Note.endLow, Note.endHigh), (arrivedMs + 3) * 1000);
  assert.equal([word(Note.size), word(Note.code)], [500, 10]);
  assert.is(bell.rings, 1);
});

notes('only what joins a trace is noted of what is handed out, with its group', () => {
  const { ring, notes: written } = rig();
  const [plain, traced] = [buildRecord({ properties: '' }), buildRecord({ properties: traceparent(SAMPLED) })];
  written.delivered(plain, 0, 0, 'G', 0.1);
  assert.is(ring.poll(), -1);
  written.delivered(traced, 0, 77, 'Gruppe-\u00fc', 0.1);
  const at = ring.poll();
  assert.is(ring.type, NoteType.DELIVERED);
  assert.is(Buffer.from(ring.bytes.slice(at + Note.groupBytes, at + ring.length)).toString(), 'Gruppe-\u00fc');
});

notes('a full ring loses notes and counts them', () => {
  const { clock, counters, notes: written } = rig(1024);
  for (let count = 0; count < 100; count++) written.stored(0, 100, clock.nowMs() | 0, 0);
  const lost = counters.read('spansDropped');
  assert.ok(lost > 0 && lost < 100, `${lost} lost`);
});

notes.run();
