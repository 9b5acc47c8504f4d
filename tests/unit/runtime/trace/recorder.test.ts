/** The flight recorder: what it keeps, what it loses, and that a reader never sees a torn event. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TraceEvent } from '../../../../runtime/trace/events.js';
import {
  FlightRecorder,
  RECORDER_EVENTS,
  readRecorder,
  TraceSampler,
  TraceSwitch,
} from '../../../../runtime/trace/recorder.js';

const recorder = suite('runtime/trace/recorder');

recorder('tells what was noted, in order, with the time of the epoch', () => {
  const own = new FlightRecorder(new TraceSwitch());
  assert.equal(readRecorder(own.memory), []);
  const before = Date.now();
  own.note(TraceEvent.arrived, 7, 310, 4, 200);
  own.note(TraceEvent.flushed, 0, 2 ** 45 + 1);
  const events = readRecorder(own.memory);
  assert.equal(
    events.map(({ timeMs: _, ...event }) => event),
    [
      { name: 'arrived', traceId: 7, value: 310, first: 4, second: 200 },
      { name: 'flushed', traceId: 0, value: 2 ** 45 + 1, first: 0, second: 0 },
    ],
  );
  assert.ok(events[0]!.timeMs <= events[1]!.timeMs);
  assert.ok(Math.abs(events[0]!.timeMs - before) < 5000);
  assert.is(readRecorder(own.memory, events[1]!.timeMs).length >= 1, true);
  assert.equal(readRecorder(own.memory, events[1]!.timeMs + 1), []);
});

recorder('the newest take the place of the oldest', () => {
  const own = new FlightRecorder(new TraceSwitch());
  const count = RECORDER_EVENTS * 2 + 100;
  for (let index = 0; index < count; index++) own.note(TraceEvent.flushed, 0, index);
  const values = readRecorder(own.memory).map(({ value }) => value);
  assert.is(values.at(-1), count - 1);
  // The one that might be being written is left out.
  assert.is(values.length, RECORDER_EVENTS - 1);
  assert.ok(values.every((value, index) => value === count - values.length + index));
});

recorder('a recorder made again goes on where the one before ended', () => {
  const traceSwitch = new TraceSwitch();
  const first = new FlightRecorder(traceSwitch);
  first.note(TraceEvent.flushed, 0, 1);
  new FlightRecorder(traceSwitch, first.memory).note(TraceEvent.flushed, 0, 2);
  assert.equal(
    readRecorder(first.memory).map(({ value }) => value),
    [1, 2],
  );
});

recorder('one in so many requests is traced, each with a number of its own', () => {
  const traceSwitch = new TraceSwitch();
  const sampler = new TraceSampler(traceSwitch);
  assert.equal([sampler.next(), new FlightRecorder(traceSwitch).isOn], [0, false]);
  traceSwitch.every = 3;
  assert.ok(new FlightRecorder(traceSwitch).isOn);
  assert.equal(
    Array.from({ length: 7 }, () => sampler.next()),
    [0, 0, 1, 0, 0, 2, 0],
  );
  traceSwitch.every = 1;
  assert.equal([sampler.next(), sampler.next()], [3, 4]);
});

recorder.run();
