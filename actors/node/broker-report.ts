/**
 * What a broker counts, as one answer for RingMQ's own tools: counters, rings, waits, positions and the thread plan.
 * Two of them, a moment apart, say what happened in between. Cold.
 *
 * - RINGMQ_GET_REPORT. Answer: code 0 and a {@link BrokerReport}.
 */
import { cpus } from 'node:os';
import type { BrokerConfig } from '../../config/index.js';
import { encodeBody } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import type { CounterName } from '../../runtime/memory/counters.js';
import { type PositionName, positionNames } from '../../runtime/memory/positions.js';
import { elapsedMs, InboundFrame } from '../inbound.js';
import { type LaneKind, laneKinds } from '../lane-counts.js';
import type { Workshop } from './memory.js';
import type { ThreadingMode } from './thread-plan.js';

/** Keys of the configuration that a diagnosis needs. */
const reportedKeys = [
  'brokerName',
  'brokerRole',
  'flushDiskType',
  'maxInflight',
  'sendMessageThreadPoolNums',
  'pullMessageThreadPoolNums',
  'lanesMax',
] as const;

export type CounterValues = Readonly<Partial<Record<CounterName, number>>>;

export interface RingReport {
  /** Bytes that wait in it. */
  readonly waiting: number;
  /** Units: bytes. */
  readonly capacity: number;
}

export interface WaitReport {
  /** Requests by how long they waited for their lane, in the spans of `Latencies`. */
  readonly counts: readonly number[];
  /** How long the oldest one that still waits does so. Units: ms. */
  readonly headMs: number;
}

export interface BrokerReport {
  /** Units: ms since the epoch. */
  readonly atMs: number;
  readonly config: Readonly<Pick<BrokerConfig, (typeof reportedKeys)[number]>>;
  /** What all processes of the machine took of its cores since it was started. Units: ms, of all cores together. */
  readonly cores: { readonly busyMs: number; readonly totalMs: number };
  readonly threadingMode: ThreadingMode;
  /** Lanes that get requests, of those that run. */
  readonly activeLanes: Readonly<Record<LaneKind, number>>;
  /** Actors by thread. */
  readonly threads: Readonly<Record<string, readonly string[]>>;
  readonly positions: Readonly<Record<PositionName, number>>;
  /** By actor; by `remoting>LANE`, for what that ring did not take; by `thread:NAME`. */
  readonly counters: Readonly<Record<string, CounterValues>>;
  /** By `FROM>TO`. */
  readonly rings: Readonly<Record<string, RingReport>>;
  /** By lane. */
  readonly waits: Readonly<Record<string, WaitReport>>;
  /** Sends by the time from their arrival to their answer, in the spans of `Latencies`. */
  readonly putLatencies: readonly number[];
}

/** The answer; undefined when it is another request. */
export function answerReportRequest(
  request: RemotingCommand,
  shop: Workshop,
  config: BrokerConfig,
): RemotingCommand | undefined {
  if (request.code !== RequestCode.RINGMQ_GET_REPORT) return undefined;
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(readReport(shop, config, Date.now())));
}

/** What is counted now. */
export function readReport(shop: Workshop, config: BrokerConfig, nowMs: number): BrokerReport {
  const { memory } = shop;
  const runs = (kind: LaneKind, lane: string): boolean =>
    shop.namesOf(kind).indexOf(lane) < shop.laneCounts.started(kind);
  const lanes = laneKinds.flatMap(kind => shop.namesOf(kind).filter(lane => runs(kind, lane)));
  const isRunning = (actor: string): boolean => memory.waits[actor] === undefined || lanes.includes(actor);
  const threads: Record<string, string[]> = {};
  for (const [actor, thread] of Object.entries(memory.threadOf)) {
    if (!isRunning(actor)) continue;
    threads[thread] ??= [];
    threads[thread].push(actor);
  }
  return {
    atMs: nowMs,
    config: Object.fromEntries(reportedKeys.map(key => [key, config[key]])) as BrokerReport['config'],
    cores: readCores(),
    threadingMode: memory.threadingMode,
    activeLanes: Object.fromEntries(laneKinds.map(kind => [kind, shop.laneCounts.active(kind)])) as Record<
      LaneKind,
      number
    >,
    threads,
    positions: Object.fromEntries(positionNames.map(name => [name, shop.positions.read(name)])) as Record<
      PositionName,
      number
    >,
    counters: Object.fromEntries(Object.keys(memory.counters).map(name => [name, shop.counters(name).snapshot()])),
    rings: Object.fromEntries(Object.keys(memory.rings).map(id => [id, readRing(shop, id)])),
    waits: Object.fromEntries(lanes.map(lane => [lane, readWaits(shop, lane, nowMs)])),
    putLatencies: [...shop.putLatencies.counts()],
  };
}

function readCores(): BrokerReport['cores'] {
  let [busyMs, totalMs] = [0, 0];
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busyMs += working;
    totalMs += working + times.idle;
  }
  return { busyMs, totalMs };
}

function readRing(shop: Workshop, id: string): RingReport {
  const [from, to] = id.split('>') as [string, string];
  const ring = shop.ring(from, to);
  // Both ends move while this reads them.
  return { waiting: Math.min(ring.capacity, Math.max(0, ring.depthBytes())), capacity: ring.capacity };
}

function readWaits(shop: Workshop, lane: string, nowMs: number): WaitReport {
  const arrivedMs = shop.ring('remoting', lane).peekWord(InboundFrame.arrivedMs);
  const headMs = arrivedMs === undefined ? 0 : Math.max(0, elapsedMs(arrivedMs, nowMs));
  return { counts: [...shop.waits(lane).counts()], headMs };
}
