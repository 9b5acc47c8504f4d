/**
 * What the writer accepts: records encoded by a lane, with the fields blank that only the writer knows.
 * All words are 32-bit in the machine's order, because they never leave the process.
 */

/** Record type in the writer's rings. */
export const AppendType = { REQUEST: 1 } as const;

/**
 * A request to append `count` records of one queue, whole or not at all. Units: words; records in bytes.
 * Source: sent by send lanes.
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
  count: 5,
  /** Size of all records. */
  size: 6,
  arrivedMs: 7,
  recordBytes: 32,
} as const;
