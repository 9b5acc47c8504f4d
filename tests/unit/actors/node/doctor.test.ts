/** What limits a broker, from two reports: thirty situations as numbers. tests/chaos/bottlenecks has some for real. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bottleneck, bottlenecks, holdsSends } from '../../../../actors/bottleneck.js';
import type { BrokerReport, CounterValues } from '../../../../actors/node/broker-report.js';
import { diagnose } from '../../../../actors/node/doctor.js';
import { spanOf, spanStarts } from '../../../../runtime/memory/latencies.js';

const doctor = suite('actors/node/doctor');

/** What happened in one second; what is left out did not. Shares are milliseconds of that second. */
interface Situation {
  readonly mode?: BrokerReport['threadingMode'];
  readonly flush?: 'SYNC_FLUSH' | 'ASYNC_FLUSH';
  readonly role?: 'ASYNC_MASTER' | 'SYNC_MASTER';
  /** Messages stored, in so many writes and syncs. */
  readonly sends?: number;
  readonly writes?: number;
  readonly flushes?: number;
  readonly appendMs?: number;
  readonly flushMs?: number;
  /** From arrival to answer. */
  readonly putMs?: number;
  readonly inFlight?: number;
  readonly awaitingFlush?: number;
  readonly awaitingSlave?: number;
  readonly slaveBehind?: number;
  readonly dirty?: number;
  readonly refused?: number;
  readonly late?: number;
  /** The send lane. */
  readonly laneMs?: number;
  readonly laneWaitMs?: number;
  readonly laneHeadMs?: number;
  readonly writerFill?: number;
  /** The pull lane. */
  readonly pulls?: number;
  readonly behind?: number;
  readonly pullMs?: number;
  readonly coordinatorMs?: number;
  readonly requests?: number;
  /** The thread with the sockets. */
  readonly mainMs?: number;
  readonly garbageMs?: number;
  /** Of two cores. */
  readonly coresMs?: number;
}

function reportsOf(what: Situation): [BrokerReport, BrokerReport] {
  return [reportOf(what, 0), reportOf(what, 1)];
}

/** `turn`: 0 before, 1 after; counters begin at what earlier times have left. */
function reportOf(what: Situation, turn: 0 | 1): BrokerReport {
  const { mode = 'inline', sends = 0, pulls = 0, mainMs = 0 } = what;
  const counted = (perTurn = 0): number => 1000 + perTurn * turn;
  const threads: Record<string, string[]> =
    mode === 'inline'
      ? { main: ['send-lane-0', 'commit-log-writer', 'flush-service', 'pull-lane-0', 'coordinator', 'remoting'] }
      : mode === 'shared'
        ? { main: ['coordinator', 'remoting'], messages: ['send-lane-0', 'commit-log-writer', 'pull-lane-0'] }
        : Object.fromEntries(
            ['send-lane-0', 'commit-log-writer', 'flush-service', 'pull-lane-0', 'coordinator', 'remoting'].map(
              name => [name, [name]],
            ),
          );
  const sockets = mode === 'dedicated' ? 'remoting' : 'main';
  const counters: Record<string, CounterValues> = {
    remoting: {
      requestsIn: counted(what.requests ?? sends + pulls),
      requestsRefused: counted(what.refused),
      sendsInFlight: what.inFlight ?? 0,
      sendsAwaitingFlush: what.awaitingFlush ?? 0,
      sendsAwaitingSlave: what.awaitingSlave ?? 0,
    },
    'send-lane-0': { requestsIn: counted(sends), busyMs: counted(what.laneMs), requestsLate: counted(what.late) },
    'pull-lane-0': {
      requestsIn: counted(pulls),
      busyMs: counted(what.pullMs),
      pullsFound: counted(pulls),
      pullsBehind: counted(what.behind),
    },
    'commit-log-writer': {
      messagesAppended: counted(sends),
      appendBatches: counted(what.writes ?? sends),
      bytesAppended: counted(sends * 1000),
      appendMs: counted(what.appendMs),
      busyMs: counted(what.appendMs),
    },
    'flush-service': { flushes: counted(what.flushes), flushMs: counted(what.flushMs) },
    coordinator: { busyMs: counted(what.coordinatorMs) },
    [`thread:${sockets}`]: { threadBusyMs: counted(mainMs), garbageMs: counted(what.garbageMs) },
  };
  const capacity = 1_000_000;
  const appended = 50_000_000 + sends * 1000 * turn;
  return {
    atMs: 1_700_000_000_000 + turn * 1000,
    config: {
      brokerName: 'broker-a',
      brokerRole: what.role ?? 'ASYNC_MASTER',
      flushDiskType: what.flush ?? 'SYNC_FLUSH',
      maxInflight: 16_384,
      sendMessageThreadPoolNums: 1,
      pullMessageThreadPoolNums: 1,
      lanesMax: 2,
    },
    cores: { busyMs: 1000 + (what.coresMs ?? 0) * turn, totalMs: 9000 + 2000 * turn },
    threadingMode: mode,
    activeLanes: { 'send-lane': 1, 'pull-lane': 1 },
    threads,
    positions: {
      minimum: 0,
      appended,
      flushed: appended - (what.dirty ?? 0),
      replicated: appended - (what.slaveBehind ?? 0),
      dispatched: appended,
    },
    counters,
    rings: {
      'remoting>send-lane-0': { waiting: 0, capacity },
      'remoting>pull-lane-0': { waiting: 0, capacity },
      'send-lane-0>commit-log-writer': { waiting: (what.writerFill ?? 0) * capacity, capacity },
    },
    waits: {
      'send-lane-0': { counts: spans(what.laneWaitMs ?? 0, 1000 + sends * turn), headMs: what.laneHeadMs ?? 0 },
      'pull-lane-0': { counts: spans(0, 1000 + pulls * turn), headMs: 0 },
    },
    putLatencies: spans(what.putMs ?? 0, 1000 + sends * turn),
  };
}

function spans(ms: number, count: number): number[] {
  const counts = new Array<number>(spanStarts.length).fill(0);
  counts[spanOf(ms)] = count;
  return counts;
}

const waits = (count: number) => ({ inFlight: count, awaitingFlush: count });
const replicas = { role: 'SYNC_MASTER', flush: 'ASYNC_FLUSH' } as const;

const situations: readonly [string, Bottleneck, Situation][] = [
  [
    'a slow disk, many senders',
    'diskFlush',
    { sends: 3000, writes: 300, flushes: 50, flushMs: 950, putMs: 22, mainMs: 300, ...waits(60) },
  ],
  [
    'the same in shared mode',
    'diskFlush',
    {
      mode: 'shared',
      sends: 9000,
      writes: 900,
      flushes: 200,
      flushMs: 900,
      putMs: 8,
      laneMs: 200,
      mainMs: 400,
      ...waits(64),
    },
  ],
  [
    'the same with threads for all',
    'diskFlush',
    {
      mode: 'dedicated',
      sends: 5000,
      writes: 700,
      flushes: 120,
      flushMs: 980,
      putMs: 12,
      laneMs: 150,
      mainMs: 200,
      ...waits(64),
    },
  ],
  [
    'a disk that does not sync at all',
    'diskFlush',
    { sends: 0, requests: 3000, dirty: 500_000, refused: 3000, inFlight: 16_384, awaitingFlush: 16_384, mainMs: 100 },
  ],
  [
    'a disk slow enough to use up the permits',
    'diskFlush',
    { sends: 16_000, writes: 400, flushes: 3, flushMs: 990, putMs: 900, refused: 4000, mainMs: 600, ...waits(16_000) },
  ],
  [
    'a slow disk and consumers that are up to date',
    'diskFlush',
    { sends: 2000, flushes: 60, flushMs: 930, putMs: 30, pulls: 2000, mainMs: 250, ...waits(64) },
  ],
  [
    'a slow disk below a slave that keeps up',
    'diskFlush',
    {
      role: 'SYNC_MASTER',
      sends: 2000,
      flushes: 60,
      flushMs: 950,
      putMs: 30,
      awaitingSlave: 5,
      mainMs: 250,
      ...waits(60),
    },
  ],
  [
    'a slave on a slow network',
    'slaveLag',
    { ...replicas, sends: 4000, putMs: 16, inFlight: 64, awaitingSlave: 62, slaveBehind: 60_000, mainMs: 300 },
  ],
  [
    'a slave with a slow disk, the own disk syncs too',
    'slaveLag',
    {
      role: 'SYNC_MASTER',
      sends: 1000,
      flushes: 250,
      flushMs: 700,
      putMs: 64,
      inFlight: 64,
      awaitingSlave: 50,
      awaitingFlush: 10,
      slaveBehind: 50_000,
      mainMs: 150,
    },
  ],
  [
    'a slave that stopped reading',
    'slaveLag',
    { ...replicas, sends: 100, putMs: 3000, inFlight: 300, awaitingSlave: 300, slaveBehind: 300_000, mainMs: 50 },
  ],
  [
    'a slave so slow that permits run out',
    'slaveLag',
    {
      ...replicas,
      sends: 9000,
      putMs: 1500,
      inFlight: 16_384,
      awaitingSlave: 16_000,
      slaveBehind: 9_000_000,
      refused: 500,
      mainMs: 500,
    },
  ],
  [
    'one thread for all, and it is full',
    'lanes',
    {
      sends: 70_000,
      writes: 3000,
      flush: 'ASYNC_FLUSH',
      laneMs: 400,
      appendMs: 200,
      mainMs: 990,
      putMs: 1,
      inFlight: 64,
    },
  ],
  [
    'one thread for all, long waits',
    'lanes',
    {
      sends: 200_000,
      writes: 900,
      flush: 'ASYNC_FLUSH',
      laneMs: 600,
      appendMs: 100,
      mainMs: 1000,
      putMs: 30,
      laneWaitMs: 25,
      inFlight: 4000,
    },
  ],
  [
    'a lane of its own that is full',
    'lanes',
    {
      mode: 'dedicated',
      sends: 90_000,
      writes: 2000,
      flush: 'ASYNC_FLUSH',
      laneMs: 960,
      appendMs: 200,
      mainMs: 500,
      putMs: 5,
      laneWaitMs: 5,
      inFlight: 500,
    },
  ],
  [
    'the thread of the messages is full',
    'lanes',
    {
      mode: 'shared',
      sends: 120_000,
      writes: 1500,
      flush: 'ASYNC_FLUSH',
      laneMs: 800,
      appendMs: 150,
      mainMs: 600,
      putMs: 9,
      laneWaitMs: 8,
      inFlight: 1000,
    },
  ],
  [
    'requests come too late to their lane',
    'lanes',
    {
      sends: 30_000,
      flushes: 20,
      flushMs: 900,
      laneMs: 700,
      mainMs: 980,
      putMs: 240,
      laneWaitMs: 220,
      late: 900,
      inFlight: 9000,
      awaitingFlush: 500,
    },
  ],
  ['a pull lane that is full', 'lanes', { mode: 'dedicated', pulls: 40_000, pullMs: 970, mainMs: 700 }],
  [
    'the kernel holds the writer up',
    'pageCache',
    { flush: 'ASYNC_FLUSH', sends: 9000, writes: 200, appendMs: 900, mainMs: 950, putMs: 40, inFlight: 400 },
  ],
  [
    'the same beside syncs',
    'pageCache',
    { sends: 900, writes: 100, appendMs: 600, flushes: 30, flushMs: 900, mainMs: 700, putMs: 60, ...waits(60) },
  ],
  [
    'the writer has a thread of its own and is held up',
    'pageCache',
    {
      mode: 'dedicated',
      flush: 'ASYNC_FLUSH',
      sends: 20_000,
      writes: 90,
      appendMs: 950,
      laneMs: 200,
      mainMs: 400,
      putMs: 50,
      inFlight: 1000,
      writerFill: 0.9,
    },
  ],
  ['consumers far behind', 'pageCache', { pulls: 500, behind: 480, pullMs: 300, mainMs: 400, requests: 500 }],
  [
    'consumers far behind, one up to date, some sends',
    'pageCache',
    { sends: 50, flushes: 50, flushMs: 150, putMs: 3, pulls: 900, behind: 700, pullMs: 200, mainMs: 300 },
  ],
  [
    'garbage collection all the time',
    'garbage',
    { sends: 20_000, flush: 'ASYNC_FLUSH', laneMs: 300, mainMs: 1000, garbageMs: 450, putMs: 9, inFlight: 200 },
  ],
  [
    'garbage collection while the disk syncs',
    'garbage',
    { sends: 2000, flushes: 90, flushMs: 800, mainMs: 900, garbageMs: 300, putMs: 30, ...waits(60) },
  ],
  [
    'one producer that waits for each answer, on disk',
    'clientInFlight',
    { sends: 280, writes: 280, flushes: 280, flushMs: 900, putMs: 3, mainMs: 120, ...waits(1) },
  ],
  [
    'one producer that waits for each answer, in memory',
    'clientInFlight',
    { flush: 'ASYNC_FLUSH', sends: 3000, writes: 3000, putMs: 0, mainMs: 450, inFlight: 1 },
  ],
  [
    'a few producers on another machine',
    'clientInFlight',
    { flush: 'ASYNC_FLUSH', sends: 900, writes: 880, putMs: 0, mainMs: 200, inFlight: 0 },
  ],
  [
    'one producer that waits for a slave',
    'clientInFlight',
    { ...replicas, sends: 300, putMs: 3, inFlight: 1, awaitingSlave: 1, slaveBehind: 900, mainMs: 100 },
  ],
  ['questions without end', 'coordinator', { requests: 20_000, coordinatorMs: 700, mainMs: 990 }],
  [
    'a load generator on the same cores',
    'cores',
    { mode: 'dedicated', flush: 'ASYNC_FLUSH', sends: 76_000, writes: 6000, mainMs: 600, putMs: 4, coresMs: 1960 },
  ],
  [
    'bursts larger than the permits',
    'permits',
    {
      flush: 'ASYNC_FLUSH',
      sends: 20_000,
      writes: 40,
      refused: 9000,
      laneMs: 200,
      mainMs: 500,
      putMs: 2,
      inFlight: 10,
    },
  ],
  ['nobody there', 'nothing', { requests: 2, mainMs: 5 }],
];

doctor('names at least nine of ten bottlenecks right, with evidence and advice', () => {
  assert.ok(situations.length >= 30);
  const wrong: string[] = [];
  for (const [name, bottleneck, situation] of situations) {
    const diagnosis = diagnose(...reportsOf(situation));
    if (diagnosis.bottleneck !== bottleneck) wrong.push(`${name}: ${diagnosis.bottleneck}, not ${bottleneck}`);
    assert.ok(
      diagnosis.evidence.length > 0 && diagnosis.evidence.every(line => !/NaN|undefined|Infinity/.test(line)),
      name,
    );
    assert.ok(diagnosis.advice.length > 0, name);
  }
  assert.equal(wrong, []);
});

doctor('every bottleneck is among them', () => {
  const named = new Set(situations.map(([, bottleneck]) => bottleneck));
  assert.equal([...named].sort(), Object.keys(bottlenecks).sort());
});

doctor('a report of a broker that was started anew in between harms nobody', () => {
  const [before, after] = reportsOf({ sends: 1000, putMs: 3, inFlight: 3, mainMs: 100 });
  assert.ok(diagnose(after, before).bottleneck in bottlenecks);
});

doctor('one moment says what holds sends up', () => {
  const calm = { awaitingFlush: 0, awaitingSlave: 0, laneWaitMs: 0, writerFill: 0 };
  const cases: [Bottleneck, Partial<typeof calm>][] = [
    ['permits', {}],
    ['diskFlush', { awaitingFlush: 9 }],
    ['slaveLag', { awaitingFlush: 3, awaitingSlave: 9 }],
    ['lanes', { awaitingFlush: 9, laneWaitMs: 200 }],
    ['pageCache', { awaitingFlush: 9, laneWaitMs: 200, writerFill: 0.8 }],
  ];
  for (const [bottleneck, backlog] of cases) assert.is(holdsSends({ ...calm, ...backlog }), bottleneck);
});

doctor.run();
