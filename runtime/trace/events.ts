/**
 * Everything an actor notes in its flight recorder: one catalogue, with what the numbers of an event mean. An event of
 * a request carries its trace id; one that moves a position concerns everything before it and carries none. What is
 * made from a traced message later (its copy when it is due, its commit) carries the trace id of that message.
 */

/** The request that made something of a message was traced itself, under this id; 0: it was not. */
export const OF_REQUEST = 'trace id of the request';

export interface TraceEventSpec {
  /** What happened, as timelines say it. */
  readonly label: string;
  /** The 64-bit number: a position, an offset, a code. */
  readonly value?: string;
  /** Two 32-bit numbers. */
  readonly first?: string;
  readonly second?: string;
}

export const traceEvents = {
  arrived: { label: 'arrived', value: 'request code', first: 'connection', second: 'bytes' },
  laneTook: { label: 'taken by lane', value: 'request code' },
  laneDone: { label: 'encoded by lane', value: 'bytes' },
  laneDelayed: { label: 'encoded to wait', value: 'bytes' },
  laneHalf: { label: 'encoded as half', value: 'bytes' },
  laneCommitted: { label: 'commit encoded', value: 'physical offset', first: OF_REQUEST },
  laneRolledBack: { label: 'rollback encoded', value: 'physical offset', first: OF_REQUEST },
  laneResumed: { label: 'half encoded again', value: 'physical offset', first: OF_REQUEST },
  laneSentBack: { label: 'return encoded', value: 'physical offset', first: OF_REQUEST },
  appended: { label: 'appended', value: 'physical offset', first: 'queue number', second: 'queue offset' },
  answered: { label: 'answered', value: 'response code', first: 'connection' },
  refused: { label: 'refused', value: 'response code', first: 'connection' },
  pulled: { label: 'pulled', value: 'queue offset', first: 'queue number', second: 'messages' },
  held: { label: 'pull held', value: 'queue offset', first: 'queue number' },
  batchWritten: { label: 'log written', value: 'position', first: 'requests', second: 'bytes' },
  flushed: { label: 'flushed', value: 'position' },
  dispatched: { label: 'dispatched', value: 'position', first: 'entries' },
  replicated: { label: 'replicated', value: 'position', first: 'slaves' },
  due: { label: 'due', value: 'physical offset', first: 'delay level' },
  delivered: { label: 'delivered', value: 'physical offset', first: 'delay level' },
  asked: { label: 'producer asked', value: 'physical offset' },
  sentToSlave: { label: 'sent to slave', value: 'position', first: 'slaves' },
  received: { label: 'received', value: 'position' },
  reported: { label: 'reported', value: 'position' },
} as const satisfies Record<string, TraceEventSpec>;

export type TraceEventName = keyof typeof traceEvents;
export const traceEventNames = Object.keys(traceEvents) as TraceEventName[];

/** Number of each event; 0 is none, so memory that was never written reads as no event. */
export const TraceEvent = Object.fromEntries(traceEventNames.map((name, index) => [name, index + 1])) as {
  readonly [Name in TraceEventName]: number;
};
