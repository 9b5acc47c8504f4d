/**
 * What the writer accepts: records encoded by a lane, with the fields blank that only the writer knows.
 * All words are 32-bit in the machine's order, because they never leave the process.
 */

/** Record types in the writer's rings. */
export const AppendType = {
  REQUEST: 1,
  /** Bytes of a master's log, to be written as they are. */
  REPLICA: 2,
} as const;

/**
 * A request to append `count` records of one queue, and maybe a companion of another queue behind them: all of it in
 * one write, or nothing. Units: words; records in bytes.
 * Source: sent by send lanes and by rooms that append for the broker (scheduler, transaction checker).
 */
export const AppendRequest = {
  connectionId: 0,
  opaque: 1,
  /** AppendFlag bits of remoting's mailbox. */
  flags: 2,
  /** Dense number of (topic, queueId): index of the queue's next offset. */
  queueNumber: 3,
  /** The queue id to answer with. */
  queueId: 4,
  /** Records of that queue; a companion does not count. */
  count: 5,
  /** Size of all records, that of the companion included. */
  size: 6,
  arrivedMs: 7,
  /** Dense number of the companion's queue; -1: there is none. */
  companionQueue: 8,
  /**
   * Of a room that appends for the broker: when a request of it is refused, all behind it with this number or a lower
   * one are refused too, so that what it asks for never comes out of order. It begins a new one when it has heard.
   */
  attempt: 9,
  /** Of a request that is traced, else 0. */
  traceId: 10,
  recordBytes: 48,
} as const;

/**
 * REPLICA: whole records of a master's log and their place, which is the end of this log. They do not cross the end of
 * a file; a BLANK comes with all that fills its file. Units: words; records in bytes.
 * Source: sent by ha-receiver.
 */
export const ReplicaRecords = {
  positionLow: 0,
  positionHigh: 1,
  size: 2,
  recordBytes: 16,
} as const;
