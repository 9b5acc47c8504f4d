/** Recordings as people read them: the hops of a message, and the file for Perfetto. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RecordedEvent } from '../../../../runtime/trace/recorder.js';
import {
  answeredAfterMs,
  hopsOf,
  mergeRecording,
  type Recording,
  toChromeTrace,
} from '../../../../runtime/trace/timeline.js';

const timeline = suite('runtime/trace/timeline');

const event = (timeMs: number, name: RecordedEvent['name'], traceId: number, value: number, first = 0, second = 0) => ({
  timeMs,
  name,
  traceId,
  value,
  first,
  second,
});

/** Message at 1000, 200 bytes, queue number 5, queue offset 41. */
const recording: Recording = {
  remoting: [event(1, 'arrived', 9, 310), event(6, 'answered', 9, 0), event(6.5, 'arrived', 10, 310)],
  'send-lane-0': [event(2, 'laneTook', 9, 310), event(3, 'laneDone', 9, 220)],
  'commit-log-writer': [
    event(0.5, 'batchWritten', 0, 1000, 1, 100),
    event(4, 'appended', 9, 1000, 5, 41),
    event(4.1, 'batchWritten', 0, 1200, 1, 200),
  ],
  'flush-service': [event(3.5, 'flushed', 0, 1000), event(5, 'flushed', 0, 1200), event(7, 'flushed', 0, 1400)],
  dispatcher: [event(5.5, 'dispatched', 0, 1300, 2)],
  'pull-lane-0': [
    event(8, 'pulled', 20, 30, 5, 11),
    event(9, 'pulled', 21, 40, 5, 10),
    event(9.5, 'pulled', 22, 40, 6, 10),
  ],
};

timeline('the hops of a message: its send, who followed, who pulled it', () => {
  const hops = hopsOf(mergeRecording(recording), { physicalOffset: 1000, size: 200 });
  assert.equal(
    hops.map(({ actor, label }) => `${label}: ${actor}`),
    [
      'arrived: remoting',
      'taken by lane: send-lane-0',
      'encoded by lane: send-lane-0',
      'appended: commit-log-writer',
      'log written: commit-log-writer',
      'flushed: flush-service',
      'dispatched: dispatcher',
      'answered: remoting',
      'pulled: pull-lane-0',
    ],
  );
  assert.is(hops[0]!.tookMs, 0);
  assert.is(answeredAfterMs(hops), 5);
  const sum = hops.reduce((total, { tookMs }) => total + tookMs, 0);
  assert.ok(Math.abs(sum - 8) < 1e-9, 'the hops leave no time out');
});

timeline('a message that was not traced has no hops', () => {
  assert.equal(hopsOf(mergeRecording(recording), { physicalOffset: 1200, size: 10 }), []);
  assert.is(answeredAfterMs([]), undefined);
});

timeline('a row an actor, a span for what a request did in it', () => {
  const { traceEvents } = toChromeTrace(recording) as unknown as {
    traceEvents: { ph: string; tid: number; name: string; ts?: number; dur?: number; args?: Record<string, unknown> }[];
  };
  const rows = traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args!.name);
  assert.equal(rows, Object.keys(recording));
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  assert.equal(
    spans.map(({ tid, name, ts, dur }) => [tid, name, ts, dur]),
    [
      [1, 'request 9', 1000, 5000],
      [2, 'request 9', 2000, 1000],
    ],
  );
  const instant = traceEvents.find(({ ph, name }) => ph === 'i' && name === 'appended');
  assert.equal(instant!.args, { 'trace id': 9, 'physical offset': 1000, 'queue number': 5, 'queue offset': 41 });
});

timeline.run();
