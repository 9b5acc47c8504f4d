/**
 * What tracing adds to one message, without the message: the trace id from hand to hand through five rings' words, and
 * every place that asks whether it is traced. Beside it the same without tracing.
 */
import { assert } from '../../runtime/base/assert.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { FlightRecorder, TraceSampler, TraceSwitch } from '../../runtime/trace/recorder.js';
import { type BenchmarkCase, Stopwatch } from '../benchmark.js';

export interface TracingParameters {
  readonly messages: number;
}

export const parameters = { smoke: { messages: 20_000 }, real: { messages: 20_000_000 } } as const;

const WORDS = 4096;
/** Messages that one write of the log, one look of the dispatcher, one sync are for: they ask once. */
const BATCH = 16;
/** Of a request: remoting, lane twice, writer, remoting again. */
const steps = [TraceEvent.arrived, TraceEvent.laneTook, TraceEvent.laneDone, TraceEvent.appended, TraceEvent.answered];

/** Words of rings, written and read as they are with other fields of a request. */
function passOn(words: Int32Array, at: number, value: number): number {
  words[at & (WORDS - 1)] = value;
  return words[at & (WORDS - 1)]!;
}

function withoutTracing(messages: number): number {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  let sum = 0;
  for (let message = 0; message < messages; message++) {
    for (let step = 0; step < steps.length; step++) sum += passOn(words, message + step, 1);
  }
  return sum;
}

function withTracing(messages: number, every: number): number {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const traceSwitch = new TraceSwitch();
  traceSwitch.every = every;
  const sampler = new TraceSampler(traceSwitch);
  const recorder = new FlightRecorder(traceSwitch);
  let sum = 0;
  for (let message = 0; message < messages; message++) {
    const traceId = sampler.next();
    for (let step = 0; step < steps.length; step++) {
      sum += passOn(words, message + step, 1);
      if (passOn(words, message + step + steps.length, traceId) !== 0) recorder.note(steps[step]!, traceId, message);
    }
    if (message % BATCH === 0 && recorder.isOn) recorder.note(TraceEvent.batchWritten, 0, message);
  }
  return sum;
}

export const run = ({ messages }: TracingParameters): BenchmarkCase[] => {
  const measure = (tracing: string, work: () => number): BenchmarkCase => {
    const watch = new Stopwatch(0);
    const sum = work();
    const result = watch.result(messages);
    assert(sum === messages * steps.length, 'every word is passed on');
    return { name: 'tracing', parameters: { tracing, messages }, ...result, checksum: sum };
  };
  return [
    measure('absent', () => withoutTracing(messages)),
    measure('off', () => withTracing(messages, 0)),
    measure('1 in 100', () => withTracing(messages, 100)),
    measure('1 in 1', () => withTracing(messages, 1)),
  ];
};
