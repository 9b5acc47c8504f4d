/** Recordings as people read them: the hops of a message, and the file for Perfetto. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RECORDER_EVENTS, type RecordedEvent } from '../../../../runtime/trace/recorder.js';
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
  const hops = hopsOf(mergeRecording(recording), 1000);
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

timeline('what is made of a message later belongs to its way: the copy of a delayed one', () => {
  const delayed: Recording = {
    remoting: [event(1, 'arrived', 7, 310), event(4, 'answered', 7, 0)],
    'commit-log-writer': [
      event(3, 'appended', 7, 1000, 100, 0),
      event(3.1, 'batchWritten', 0, 1200, 1, 200),
      event(1002, 'appended', 7, 5000, 5, 41),
      event(1002.1, 'batchWritten', 0, 5200, 1, 200),
    ],
    dispatcher: [event(5, 'dispatched', 0, 1200, 1), event(1004, 'dispatched', 0, 5200, 1)],
    scheduler: [event(500, 'due', 6, 800, 1), event(1001, 'due', 7, 1000, 1), event(1003, 'delivered', 7, 5000, 1)],
    'pull-lane-0': [event(1005, 'pulled', 0, 41, 5, 1)],
  };
  const way = [
    'arrived 1',
    'appended 3',
    'log written 3.1',
    'answered 4',
    'dispatched 5',
    'due 1001',
    'appended 1002',
    'log written 1002.1',
    'delivered 1003',
    'dispatched 1004',
    'pulled 1005',
  ];
  for (const physicalOffset of [1000, 5000]) {
    const hops = hopsOf(mergeRecording(delayed), physicalOffset);
    assert.equal(
      hops.map(({ label, timeMs }) => `${label} ${timeMs}`),
      way,
      `asked for the record at ${physicalOffset}`,
    );
  }
});

timeline('the request that ended a transaction belongs to the way of its message', () => {
  const ended: Recording = {
    remoting: [event(1, 'arrived', 7, 310), event(4, 'answered', 7, 0), event(6, 'arrived', 8, 37)],
    'send-lane-0': [event(7, 'laneTook', 8, 37), event(8, 'laneCommitted', 7, 1000, 8)],
    'commit-log-writer': [event(3, 'appended', 7, 1000, 100, 0), event(9, 'appended', 7, 2000, 5, 41)],
  };
  assert.equal(
    hopsOf(mergeRecording(ended), 2000).map(({ label, timeMs }) => `${label} ${timeMs}`),
    ['arrived 1', 'appended 3', 'answered 4', 'arrived 6', 'taken by lane 7', 'commit encoded 8', 'appended 9'],
  );
});

timeline(
  'slaves tell when they were past the message, not which messages they handed out: their numbers are their own',
  () => {
    const slave = mergeRecording({
      'ha-receiver': [event(4.4, 'received', 0, 1000), event(4.6, 'received', 0, 1500)],
      'commit-log-writer': [event(4.8, 'batchWritten', 0, 1500)],
      'pull-lane-0': [event(9, 'pulled', 0, 41, 5, 1)],
    }).map(one => ({ ...one, actor: `slave: ${one.actor}` }));
    assert.equal(
      hopsOf(mergeRecording(recording), 1000, slave)
        .filter(({ actor }) => actor.startsWith('slave'))
        .map(({ actor, label, timeMs }) => [actor, label, timeMs]),
      [
        ['slave: ha-receiver', 'received', 4.6],
        ['slave: commit-log-writer', 'log written', 4.8],
      ],
    );
  },
);

timeline('a message in a batch has the hops of its batch', () => {
  const labelsAt = (physicalOffset: number): number => hopsOf(mergeRecording(recording), physicalOffset).length;
  assert.is(labelsAt(1219), labelsAt(1000), 'the lane encoded 220 bytes');
  assert.is(labelsAt(1220), 0);
});

timeline('an actor whose recorder has been filled since says nothing of the message', () => {
  const later = Array.from({ length: RECORDER_EVENTS - 1 }, (_, index) =>
    event(10 + index, 'flushed', 0, 5000 + index),
  );
  const labels = (flushes: RecordedEvent[]): string[] =>
    hopsOf(mergeRecording({ ...recording, 'flush-service': flushes }), 1000).map(({ label }) => label);
  assert.not(labels(later).includes('flushed'), 'it was flushed before, and that is overwritten');
  assert.ok(
    labels([event(0.1, 'flushed', 0, 500), ...later]).includes('flushed'),
    'older ones are there: nothing is lost',
  );
});

timeline('a message that was not traced has no hops', () => {
  assert.equal(hopsOf(mergeRecording(recording), 1300), []);
  assert.is(answeredAfterMs([]), undefined);
});

timeline('a row an actor, a span for what a request did in it', () => {
  const { traceEvents } = toChromeTrace({
    'broker-a-0': recording,
    'broker-a-1': { 'ha-receiver': [event(5, 'received', 0, 1200)] },
  }) as unknown as {
    traceEvents: {
      ph: string;
      pid: number;
      tid?: number;
      name: string;
      ts?: number;
      dur?: number;
      args?: Record<string, unknown>;
    }[];
  };
  const named = (what: string) =>
    traceEvents.filter(({ name }) => name === what).map(({ pid, args }) => [pid, args!.name]);
  assert.equal(named('process_name'), [
    [1, 'broker-a-0'],
    [2, 'broker-a-1'],
  ]);
  const rows = Object.keys(recording).map(actor => [1, actor]);
  assert.equal(named('thread_name'), [...rows, [2, 'ha-receiver']]);
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
