/**
 * What the recorders of a node say together: the hops of one request, and a file for Perfetto or Chrome. Cold.
 */
import { traceEvents } from './events.js';
import type { RecordedEvent } from './recorder.js';

/** An event with the actor that noted it. */
export interface TimedEvent extends RecordedEvent {
  readonly actor: string;
}

/** By actor. */
export type Recording = Readonly<Record<string, readonly RecordedEvent[]>>;

/** One step of a request through the actors. */
export interface Hop {
  readonly actor: string;
  readonly label: string;
  readonly timeMs: number;
  /** Time since the step before. Units: ms. */
  readonly tookMs: number;
}

/** All events of all actors, oldest first. */
export function mergeRecording(recording: Recording): TimedEvent[] {
  return Object.entries(recording)
    .flatMap(([actor, events]) => events.map(event => ({ ...event, actor })))
    .sort((left, right) => left.timeMs - right.timeMs);
}

/** Events that move a position: a message is past them when the position is at its end, or further. */
const positionEvents = ['batchWritten', 'flushed', 'dispatched', 'replicated'] as const;

/** Where a message was stored: what is looked for in the recording. */
export interface StoredAt {
  readonly physicalOffset: number;
  /** Units: bytes. */
  readonly size: number;
}

/**
 * The hops of the message at `stored`: those of the send that brought it, then the first time each follower of the log
 * was past it, then the pulls that handed it out. Empty when its send was not traced, or is overwritten by now.
 */
export function hopsOf(events: readonly TimedEvent[], stored: StoredAt): Hop[] {
  const append = events.find(({ name, value }) => name === 'appended' && value === stored.physicalOffset);
  if (append === undefined) return [];
  const own = events.filter(({ traceId }) => traceId === append.traceId && traceId !== 0);
  const end = stored.physicalOffset + stored.size;
  const passed = positionEvents.flatMap(name => {
    const first = new Map<string, TimedEvent>();
    for (const event of events) {
      if (event.name !== name || event.value < end || event.timeMs < own[0]!.timeMs) continue;
      if (!first.has(event.actor)) first.set(event.actor, event);
    }
    return [...first.values()];
  });
  const pulls = events.filter(
    ({ name, value, first, second }) =>
      name === 'pulled' && first === append.first && value <= append.second && append.second < value + second,
  );
  return toHops([...own, ...passed, ...pulls].sort((left, right) => left.timeMs - right.timeMs));
}

function toHops(events: readonly TimedEvent[]): Hop[] {
  return events.map(({ actor, name, timeMs }, index) => {
    const before = events[index - 1]?.timeMs ?? timeMs;
    return { actor, label: traceEvents[name].label, timeMs, tookMs: timeMs - before };
  });
}

/** From the arrival of a send to its answer; undefined when the hops have not both. Units: ms. */
export function answeredAfterMs(hops: readonly Hop[]): number | undefined {
  const arrived = hops.find(({ label }) => label === traceEvents.arrived.label);
  const answered = hops.find(({ label }) => label === traceEvents.answered.label);
  return arrived === undefined || answered === undefined ? undefined : answered.timeMs - arrived.timeMs;
}

/**
 * The recording in Chrome's trace format, which Perfetto opens: a row an actor; what a request did in one actor is a
 * span, everything else an instant.
 * Source: Trace Event Format, JSON Object Format.
 */
export function toChromeTrace(recording: Recording): {
  readonly traceEvents: object[];
  readonly displayTimeUnit: 'ms';
} {
  const out: object[] = [];
  for (const [index, [actor, events]] of Object.entries(recording).entries()) {
    const place = { pid: 1, tid: index + 1 };
    out.push({ ...place, ph: 'M', name: 'thread_name', args: { name: actor } });
    out.push(...spansOf(events).map(span => ({ ...place, ...span })));
    for (const event of events) out.push({ ...place, ph: 'i', s: 't', name: event.name, ...detailsOf(event) });
  }
  return { traceEvents: out, displayTimeUnit: 'ms' };
}

function detailsOf(event: RecordedEvent): object {
  const { value, first, second }: { value?: string; first?: string; second?: string } = traceEvents[event.name];
  const args: Record<string, number> = {};
  if (event.traceId !== 0) args['trace id'] = event.traceId;
  if (value !== undefined) args[value] = event.value;
  if (first !== undefined) args[first] = event.first;
  if (second !== undefined) args[second] = event.second;
  return { ts: event.timeMs * 1000, args };
}

/** From the first to the last event of a request in one actor. */
function spansOf(events: readonly RecordedEvent[]): object[] {
  const byRequest = new Map<number, [RecordedEvent, RecordedEvent]>();
  for (const event of events) {
    if (event.traceId === 0) continue;
    const known = byRequest.get(event.traceId);
    if (known === undefined) byRequest.set(event.traceId, [event, event]);
    else known[1] = event;
  }
  return [...byRequest.values()]
    .filter(([from, to]) => to.timeMs > from.timeMs)
    .map(([from, to]) => {
      const name = `request ${from.traceId}`;
      return { ph: 'X', name, ts: from.timeMs * 1000, dur: (to.timeMs - from.timeMs) * 1000 };
    });
}
