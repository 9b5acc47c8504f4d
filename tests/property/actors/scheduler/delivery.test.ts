/**
 * Whatever ends the broker, and however its clock is set: every delayed message that was promised is delivered to its
 * queue, in the order of its level, not before its time, and twice only after a crash.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDelayLevels } from '../../../../config/index.js';
import { SCHEDULE_TOPIC } from '../../../../protocol/topic-names.js';
import type { RawRecord } from '../../../support/raw-record.js';
import { type DelayedOptions, DelayedWorld } from './delayed-world.js';

const delivery = suite('property actors/scheduler');

const levels = fc
  .array(fc.constantFrom('0s', '1s', '2s', '5s', '1m', '1h'), { minLength: 1, maxLength: 5 })
  .map(names => names.join(' '));

/** Scheduled and delivered records of a log, by the id in their bodies. */
class Story {
  readonly world: DelayedWorld;
  /** Level and place in it, of every message that is in the log. */
  readonly scheduled = new Map<string, { level: number; offset: number; dueMs: number }>();
  /** Every delivery, in the order of the log. */
  readonly delivered: { id: string; record: RawRecord }[] = [];

  constructor(world: DelayedWorld) {
    this.world = world;
    const delaysMs = parseDelayLevels(world.options.delayLevels);
    for (const record of world.log) {
      const id = record.body.toString().split(' ')[0]!;
      // A record nobody was promised may have lost the page with its properties.
      if (!record.properties.has('REAL_QID')) continue;
      if (record.topic !== SCHEDULE_TOPIC) {
        this.delivered.push({ id, record });
        continue;
      }
      const { queueId, queueOffset: offset, storeTimestampMs } = record;
      this.scheduled.set(id, { level: queueId + 1, offset, dueMs: storeTimestampMs + delaysMs[queueId]! });
    }
  }

  timesOf(id: string): number {
    return this.delivered.filter(delivery => delivery.id === id).length;
  }

  /** Promised and never delivered, or to another queue. */
  lost(): string[] {
    const places = new Set(this.delivered.map(({ id, record }) => `${id} ${record.topic}:${record.queueId}`));
    return [...this.world.accepted].map(([id, place]) => `${id} ${place}`).filter(known => !places.has(known));
  }

  /** Deliveries in front of an earlier message of their level that was not delivered before. */
  early(): string[] {
    const done = new Set<string>();
    const faults: string[] = [];
    const earlier = (id: string): string | undefined => {
      const { level, offset } = this.scheduled.get(id)!;
      const isBefore = (other: { level: number; offset: number }): boolean =>
        other.level === level && other.offset < offset;
      return [...this.scheduled].find(([other, place]) => isBefore(place) && !done.has(other))?.[0];
    };
    for (const { id } of this.delivered) {
      const missing = earlier(id);
      if (missing !== undefined) faults.push(`${id} was delivered, and ${missing} was not`);
      done.add(id);
    }
    return faults;
  }
}

function live(options: DelayedOptions): Story {
  const world = new DelayedWorld(options);
  world.run();
  return new Story(world);
}

const cases = (more: object) =>
  fc.record({
    seed: fc.nat(),
    lives: fc.integer({ min: 1, max: 3 }),
    messagesOfLife: fc.integer({ min: 1, max: 40 }),
    delayLevels: levels,
    ...more,
  }) as fc.Arbitrary<DelayedOptions>;

delivery('a broker that is stopped well delivers everything once, in time', () => {
  let sum = 0;
  const property = fc.property(
    cases({ ends: fc.constant(['clean']), jumps: fc.constant(false), faults: fc.constant(false) }),
    options => {
      const story = live(options);
      assert.equal([story.lost(), story.early()], [[], []]);
      assert.is(story.delivered.length, story.scheduled.size, 'nothing twice');
      for (const { id, record } of story.delivered) {
        const { dueMs } = story.scheduled.get(id)!;
        assert.ok(record.storeTimestampMs >= dueMs, `${id} is early`);
        const stopped = story.world.endsMs.some(ms => ms <= dueMs + 20 && ms + 3000 >= dueMs - 20);
        assert.ok(
          stopped || record.storeTimestampMs <= dueMs + 20,
          `${id} is late: ${record.storeTimestampMs - dueMs}`,
        );
      }
      sum += story.delivered.length;
    },
  );
  fc.assert(property, { numRuns: 40 });
  assert.ok(sum > 500, `${sum} deliveries`);
});

delivery('whatever ends it, nothing is lost and nothing overtakes', () => {
  let twice = 0;
  const property = fc.property(
    cases({
      ends: fc.constant(['clean', 'kill', 'power', 'power']),
      jumps: fc.boolean(),
      faults: fc.boolean(),
    }),
    options => {
      const story = live(options);
      assert.equal([story.lost(), story.early()], [[], []]);
      for (const id of story.scheduled.keys()) {
        const times = story.timesOf(id);
        assert.ok(times >= 1 && times <= options.lives + 1, `${id} was delivered ${times} times`);
        if (times > 1) twice++;
      }
      if (story.world.ends.every(end => end === 'clean')) {
        assert.is(story.delivered.length, story.scheduled.size, 'twice only after a crash');
      }
    },
  );
  fc.assert(property, { numRuns: 120 });
  assert.ok(twice > 0, 'crashes came between a delivery and its counting');
});

delivery('a kill delivers again only what was delivered in the last moments', () => {
  let twice = 0;
  const property = fc.property(
    cases({
      ends: fc.constant(['kill']),
      lives: fc.constant(1),
      jumps: fc.constant(false),
      faults: fc.constant(false),
    }),
    options => {
      const story = live(options);
      assert.equal([story.lost(), story.early()], [[], []]);
      const endMs = story.world.endsMs[0]!;
      for (const { id, record } of story.delivered) {
        if (story.timesOf(id) === 1) continue;
        twice++;
        // A second until it is stored, and the time until the log is on the device.
        assert.ok(
          record.storeTimestampMs >= endMs - 2500,
          `${id} was delivered ${endMs - record.storeTimestampMs} ms before`,
        );
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
  assert.ok(twice > 0, 'some were delivered again');
});

delivery('the file says at the end that all is delivered', () => {
  const story = live({
    seed: 7,
    ends: ['kill', 'clean'],
    lives: 2,
    messagesOfLife: 60,
    delayLevels: '1s 2s',
    jumps: false,
    faults: true,
  });
  const counts = [1, 2].map(level => [...story.scheduled.values()].filter(known => known.level === level).length);
  assert.is(story.world.delayOffsets, `{\n\t"offsetTable":{1:${counts[0]},2:${counts[1]}\n\t}\n}`);
});

delivery.run();
