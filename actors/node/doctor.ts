/**
 * What limits a broker now, from two of its reports a moment apart. Rules over numbers, nothing else: the first one
 * that holds names the bottleneck, so they stand in the order in which one bottleneck hides another.
 */
import { type Bottleneck, bottlenecks, holdsSends } from '../bottleneck.js';
import type { BrokerReport } from './broker-report.js';
import { type LaneChange, ReportChange } from './report-change.js';

export interface Diagnosis {
  readonly bottleneck: Bottleneck;
  /** What was measured that says so. */
  readonly evidence: readonly string[];
  /** What to do about it. */
  readonly advice: readonly string[];
}

/** The names, for programs that print them. */
export const bottleneckNames = bottlenecks;

type Rule = (change: ReportChange) => Diagnosis | undefined;

/** Share of the time that makes something a suspect. */
const GARBAGE_SHARE = 0.2;
const FLUSH_SHARE = 0.6;
const APPEND_SHARE = 0.4;
const BUSY_SHARE = 0.8;
const BEHIND_SHARE = 0.5;
/** A write into the page cache that takes longer was held up. Units: ms. */
const APPEND_MS = 1;
const WAIT_MS = 20;
/** Fewer sends in progress leave all rooms idle most of the time. */
const IN_PROGRESS_FEW = 4;
/** So many do not wait for a client. */
const IN_PROGRESS_MANY = 64;
const CORES_SHARE = 0.9;
/** Requests a second below which there is no load to speak of. */
const REQUESTS_FEW = 1;

/** Errors: asserts nothing; a report of a broker that was started anew in between says little. */
export function diagnose(before: BrokerReport, after: BrokerReport): Diagnosis {
  const change = new ReportChange(before, after);
  for (const rule of rules) {
    const diagnosis = rule(change);
    if (diagnosis !== undefined) return diagnosis;
  }
  return fewInFlight(change);
}

const rules: readonly Rule[] = [
  garbage,
  slave,
  pageCache,
  disk,
  lanes,
  refusedSends,
  coordinator,
  oldMessages,
  idle,
  cores,
];

/** While it collects, a thread does nothing else, so everything on it looks busy. */
function garbage(change: ReportChange): Diagnosis | undefined {
  const worst = change.threads().sort((left, right) => right.garbage - left.garbage)[0];
  if (worst === undefined || worst.garbage < GARBAGE_SHARE) return undefined;
  return {
    bottleneck: 'garbage',
    evidence: [`garbage collection takes ${percent(worst.garbage)} of thread ${worst.name}`],
    advice: [
      'Give Node.js more memory for young objects: NODE_OPTIONS=--max-semi-space-size=64.',
      'Look at the heap when it is old objects: many connections, topics or held pulls.',
    ],
  };
}

function slave(change: ReportChange): Diagnosis | undefined {
  const awaiting = change.level('sendsAwaitingSlave');
  const { positions, config } = change.after;
  if (config.brokerRole !== 'SYNC_MASTER' || awaiting < Math.max(1, change.level('sendsAwaitingFlush')))
    return undefined;
  if (change.sendsInProgress < IN_PROGRESS_FEW) return undefined;
  return {
    bottleneck: 'slaveLag',
    evidence: [
      `${round(awaiting)} sends wait for a slave, ${round(change.level('sendsAwaitingFlush'))} for the disk`,
      `the slave is ${positions.appended - positions.replicated} bytes behind`,
    ],
    advice: [
      'Look at the slave: its disk and the network between the two. `ringmq broker status` names slaves and their lag.',
      'With brokerRole=ASYNC_MASTER sends do not wait for it, and a master that is lost loses its last moments.',
    ],
  };
}

/** The kernel lets the writer wait when too much of its cache is dirty. */
function pageCache(change: ReportChange): Diagnosis | undefined {
  const share = change.share('commit-log-writer', 'appendMs');
  const writes = change.grown('commit-log-writer', 'appendBatches');
  const eachMs = change.grown('commit-log-writer', 'appendMs') / Math.max(1, writes);
  if (share < APPEND_SHARE || eachMs < APPEND_MS) return undefined;
  const bytes = change.perSecond('commit-log-writer', 'bytesAppended');
  return {
    bottleneck: 'pageCache',
    evidence: [
      `writes into the page cache take ${percent(share)} of the time, ${eachMs.toFixed(1)} ms each`,
      `${(bytes / 1e6).toFixed(1)} MB/s are appended; ${dirtyBytes(change)} bytes are not on the device`,
    ],
    advice: [
      'The device takes less than is written: a faster one, or fewer or smaller messages.',
      'Less dirty memory at a time evens it out: lower flushIntervalCommitLog, and vm.dirty_background_bytes of the system.',
    ],
  };
}

function dirtyBytes({ after: { positions } }: ReportChange): number {
  return Math.max(0, positions.appended - positions.flushed);
}

function disk(change: ReportChange): Diagnosis | undefined {
  if (change.after.config.flushDiskType !== 'SYNC_FLUSH') return undefined;
  const awaiting = change.level('sendsAwaitingFlush');
  const inProgress = change.sendsInProgress;
  const flushes = change.grown('flush-service', 'flushes');
  const share = change.share('flush-service', 'flushMs');
  // A sync that has not ended in the whole interval is not counted yet.
  const stuck = flushes === 0 && awaiting > 0 && dirtyBytes(change) > 0;
  if (!stuck && (share < FLUSH_SHARE || inProgress < IN_PROGRESS_FEW)) return undefined;
  if (!stuck && busiest(change)?.isWaitedFor) return undefined;
  const eachMs = change.grown('flush-service', 'flushMs') / Math.max(1, flushes);
  const messages = change.grown('commit-log-writer', 'messagesAppended') / Math.max(1, flushes);
  return {
    bottleneck: 'diskFlush',
    evidence: [
      stuck
        ? 'not one sync has ended meanwhile'
        : `syncs take ${percent(share)} of the time, ${eachMs.toFixed(1)} ms each for ${messages.toFixed(1)} messages`,
      `${round(awaiting)} of ${round(inProgress)} sends in progress wait for the disk`,
    ],
    advice: [
      'A device that syncs faster (one with power-loss protection), or more sends in flight: one sync serves them all.',
      'With flushDiskType=ASYNC_FLUSH sends do not wait for it, and a crash of the machine loses the last moments.',
    ],
  };
}

interface Busiest {
  readonly lane: LaneChange;
  readonly threadBusy: number;
  /** Requests stood in its ring for long, or were refused there. */
  readonly isWaitedFor: boolean;
}

/** The lane that works most, and its thread. */
function busiest(change: ReportChange): Busiest | undefined {
  const threads = new Map(change.threads().map(({ name, busy }) => [name, busy]));
  return [...change.lanes('send-lane'), ...change.lanes('pull-lane')]
    .filter(lane => lane.requestsPerSecond >= REQUESTS_FEW || lane.waiting > 0)
    .map(lane => {
      const threadBusy = threads.get(lane.thread) ?? 0;
      const waits = lane.waitP99Ms >= WAIT_MS || lane.refused + lane.late > 0;
      return { lane, threadBusy, isWaitedFor: waits && threadBusy >= BUSY_SHARE };
    })
    .sort((left, right) => right.threadBusy - left.threadBusy || right.lane.busy - left.lane.busy)[0];
}

function lanes(change: ReportChange): Diagnosis | undefined {
  const worst = busiest(change);
  if (worst === undefined || worst.threadBusy < BUSY_SHARE) return undefined;
  const { lane, threadBusy } = worst;
  const alone = change.after.threadingMode === 'dedicated';
  const key = lane.name.startsWith('send') ? 'sendMessageThreadPoolNums' : 'pullMessageThreadPoolNums';
  return {
    bottleneck: 'lanes',
    evidence: [
      `thread ${lane.thread} is busy ${percent(threadBusy)} of the time, ${lane.name} ${percent(lane.busy)}`,
      `requests wait ${lane.waitP99Ms.toFixed(1)} ms for it (99 of 100), the longest ${lane.waitMaxMs} ms`,
      `${lane.refused} requests found its ring full, ${lane.late} waited too long`,
    ],
    advice: alone
      ? [`More lanes where cores are free: a higher ${key} (and lanesMax).`, 'Several connections: each has one lane.']
      : [
          `threadingMode=${change.after.threadingMode} puts many rooms on one thread: with cores to spare try dedicated.`,
          'Without, this machine serves no more; send batches, or add a broker.',
        ],
  };
}

/** Sends were refused and nobody was busy: what holds them up at this moment, as their remark says. */
function refusedSends(change: ReportChange): Diagnosis | undefined {
  const refused = change.grown('remoting', 'requestsRefused');
  if (refused <= 0) return undefined;
  const lanesWaits = change.lanes('send-lane').map(({ name }) => change.after.waits[name]?.headMs ?? 0);
  const fills = Object.entries(change.after.rings)
    .filter(([id]) => id.startsWith('send-lane') && id.endsWith('>commit-log-writer'))
    .map(([, { waiting, capacity }]) => waiting / capacity);
  const bottleneck = holdsSends({
    awaitingFlush: change.now('remoting', 'sendsAwaitingFlush'),
    awaitingSlave: change.now('remoting', 'sendsAwaitingSlave'),
    laneWaitMs: Math.max(0, ...lanesWaits),
    writerFill: Math.max(0, ...fills),
  });
  const { maxInflight } = change.after.config;
  const isBurst = bottleneck === 'permits';
  return {
    bottleneck,
    evidence: [
      `${refused} requests were refused with SYSTEM_BUSY`,
      `${change.now('remoting', 'sendsInFlight')} of ${maxInflight} sends are in progress, and no thread is busy all the time`,
    ],
    advice: [
      isBurst ? 'Sends come in bursts: more permits (maxInflight) and larger rings (ringCapacityBytes) take them.' : '',
      isBurst ? '' : 'Look again while it lasts: `ringmq pools --watch` shows where requests stand.',
    ].filter(line => line !== ''),
  };
}

function coordinator(change: ReportChange): Diagnosis | undefined {
  const busy = change.share('coordinator', 'busyMs');
  const thread = change.threads().find(({ name }) => name === change.threadOf('coordinator'));
  if (thread === undefined || thread.busy < BUSY_SHARE || busy < BUSY_SHARE / 2) return undefined;
  return {
    bottleneck: 'coordinator',
    evidence: [`thread ${thread.name} is busy ${percent(thread.busy)} of the time, the coordinator ${percent(busy)}`],
    advice: ['Heartbeats, offsets and administration come to it: fewer clients, or fewer questions of dashboards.'],
  };
}

/** Consumers that are far behind read what is no longer in memory. */
function oldMessages(change: ReportChange): Diagnosis | undefined {
  const found = change.sum('pull-lane', 'pullsFound');
  const behind = change.sum('pull-lane', 'pullsBehind');
  if (found <= 0 || behind / found < BEHIND_SHARE) return undefined;
  return {
    bottleneck: 'pageCache',
    evidence: [`${behind} of ${found} pulls read messages from so far behind that the page cache no longer has them`],
    advice: ['More memory for the page cache, a faster disk for reading, or consumers that keep up.'],
  };
}

function idle(change: ReportChange): Diagnosis | undefined {
  const requests = change.perSecond('remoting', 'requestsIn');
  // The looks themselves are requests, too.
  if (requests > REQUESTS_FEW * 5 || change.level('sendsInFlight') >= 1) return undefined;
  return {
    bottleneck: 'nothing',
    evidence: [`${requests.toFixed(1)} requests a second come in`],
    advice: ['There is no load to look at.'],
  };
}

/** No thread of the broker is busy, and requests wait all the same: somebody else has the cores. */
function cores(change: ReportChange): Diagnosis | undefined {
  if (change.coresBusy < CORES_SHARE || change.sendsInProgress < IN_PROGRESS_MANY) return undefined;
  return {
    bottleneck: 'cores',
    evidence: [
      `the cores of the machine are busy ${percent(change.coresBusy)} of the time, and no thread of the broker is`,
      `${round(change.sendsInProgress)} sends are in progress`,
    ],
    advice: [
      'Other programs, such as a load generator, take the cores: move them, or give the broker more.',
      'More lanes or threads make it worse: threadingMode=inline needs the fewest cores.',
    ],
  };
}

/** Nothing in the broker is busy, so it waits for its clients. */
function fewInFlight(change: ReportChange): Diagnosis {
  const sends = change.perSecond('commit-log-writer', 'messagesAppended');
  const writes = change.perSecond('commit-log-writer', 'appendBatches');
  const busy = Math.max(...change.threads().map(thread => thread.busy));
  return {
    bottleneck: 'clientInFlight',
    evidence: [
      `the busiest thread is busy ${percent(busy)} of the time, ${change.sendsInProgress.toFixed(1)} sends are in progress`,
      `${round(sends)} messages a second in ${round(writes)} writes: ${(sends / Math.max(1, writes)).toFixed(1)} a write`,
    ],
    advice: [
      'More requests in flight: asynchronous sends, more producers, batches. A producer that waits for each answer is as fast as one round.',
    ],
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

function round(value: number): number {
  return Math.round(value);
}
