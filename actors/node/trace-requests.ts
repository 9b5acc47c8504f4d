/**
 * Tracing switched and read from outside: requests of RingMQ's own tools, with codes beyond RocketMQ's. Cold.
 *
 * - RINGMQ_SET_TRACE, `every`: one in so many requests is traced, 0 for none. Answer: code 0.
 * - RINGMQ_GET_TRACE, `sinceMs` (ms since the epoch). Answer: code 0, `leftOut` (older events that did not fit),
 *   `nowMs` (the clock that events are noted by), and a {@link TraceBody}.
 */
import { encodeBody } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { messageOf } from '../../runtime/base/errors.js';
import { readRecorder, traceNowMs } from '../../runtime/trace/recorder.js';
import type { Recording } from '../../runtime/trace/timeline.js';
import type { Workshop } from './memory.js';

/** The recording as it travels: for each actor rows of time, event, trace id, value, first, second. */
export type TraceBody = Readonly<
  Record<string, readonly (readonly [number, string, number, number, number, number])[]>
>;

/** Events of one answer; the newest. It stays below half of the largest frame. */
export const TRACE_EVENTS_MAX = 60_000;
const EVERY_MAX = 1_000_000_000;

/** The answer; undefined when it is another request. */
export function answerTraceRequest(request: RemotingCommand, shop: Workshop): RemotingCommand | undefined {
  switch (request.code) {
    case RequestCode.RINGMQ_SET_TRACE:
      return setTrace(request, shop);
    case RequestCode.RINGMQ_GET_TRACE:
      return getTrace(request, shop);
    default:
      return undefined;
  }
}

function setTrace(request: RemotingCommand, shop: Workshop): RemotingCommand {
  try {
    setTraceEvery(shop, Number(request.extFields.every ?? Number.NaN));
    return createResponse(request, ResponseCode.SUCCESS);
  } catch (error) {
    return createResponse(request, ResponseCode.SYSTEM_ERROR, messageOf(error));
  }
}

/** Traces one in so many requests from now on; 0: none. Errors: RangeError. */
export function setTraceEvery(shop: Workshop, every: number): void {
  if (!Number.isInteger(every) || every < 0 || every > EVERY_MAX) {
    throw new RangeError(`every must be a whole number from 0 to ${EVERY_MAX}: ${every}`);
  }
  shop.traceSwitch.every = every;
}

function getTrace(request: RemotingCommand, shop: Workshop): RemotingCommand {
  const sinceMs = Number(request.extFields.sinceMs ?? 0);
  // Who asks from the future on wants to know the time, and soon.
  const all = sinceMs > traceNowMs() ? {} : readAll(shop, Number.isFinite(sinceMs) ? sinceMs : 0);
  const { recording, leftOut } = newestOf(all, TRACE_EVENTS_MAX);
  const body: TraceBody = Object.fromEntries(
    Object.entries(recording).map(([actor, events]) => [
      actor,
      events.map(event => [event.timeMs, event.name, event.traceId, event.value, event.first, event.second] as const),
    ]),
  );
  return createResponse(request, ResponseCode.SUCCESS, null, { leftOut, nowMs: traceNowMs() }, encodeBody(body));
}

/** What all actors noted since. */
export function readAll(shop: Workshop, sinceMs: number): Recording {
  const { recorders } = shop.memory;
  return Object.fromEntries(Object.entries(recorders).map(([actor, memory]) => [actor, readRecorder(memory, sinceMs)]));
}

function newestOf(recording: Recording, max: number): { readonly recording: Recording; readonly leftOut: number } {
  const times = Object.values(recording).flatMap(events => events.map(({ timeMs }) => timeMs));
  if (times.length <= max) return { recording, leftOut: 0 };
  const fromMs = times.sort((left, right) => right - left)[max - 1]!;
  const kept = Object.entries(recording).map(([actor, events]) => [actor, events.filter(e => e.timeMs >= fromMs)]);
  return { recording: Object.fromEntries(kept) as Recording, leftOut: times.length - max };
}
