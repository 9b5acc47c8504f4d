/**
 * Why the store takes no messages now: bits of one shared word. Lanes refuse what the word forbids with its reason.
 * Source: spec storage 12; RunningFlags (the numbers are ours, they are never stored).
 */
export const StoreState = {
  /** The node is not there yet, or no longer. */
  CLOSED: 1,
  /** The partition is above the warning ratio. */
  DISK_FULL: 2,
  /** A write to the log failed; cleared by the next one that succeeds. */
  WRITE_FAILED: 4,
  /** A sync failed: what the device holds is unknown until a restart has read it back. */
  FLUSH_FAILED: 8,
  /** This node is a slave. */
  SLAVE: 16,
  /** Consume queues cannot be written. */
  DISPATCH_FAILED: 32,
  /** No reason at all: a slave is attached to this broker, and a SYNC_MASTER's sends may wait for it. */
  HAS_SLAVE: 64,
} as const;

/**
 * Bits for which lanes refuse a send outright. WRITE_FAILED is none: the next send finds out whether there is room
 * again. Nor is CLOSED: remoting lets no more sends in then, and those that are inside are still served.
 */
export const UNWRITABLE =
  StoreState.DISK_FULL | StoreState.FLUSH_FAILED | StoreState.SLAVE | StoreState.DISPATCH_FAILED;

const reasons: readonly (readonly [number, string])[] = [
  [StoreState.CLOSED, 'the message store has been shut down or is not open yet'],
  [StoreState.DISK_FULL, 'the disk is full beyond diskSpaceWarningLevelRatio'],
  [StoreState.WRITE_FAILED, 'the last write to the commit log failed'],
  [StoreState.FLUSH_FAILED, 'a sync of the commit log failed; restart the broker to read back what the disk holds'],
  [StoreState.SLAVE, 'this broker is a slave'],
  [StoreState.DISPATCH_FAILED, 'consume queues cannot be written'],
];

/** In words, for remarks. */
export function describeStoreState(bits: number): string {
  return reasons
    .filter(([bit]) => (bits & bit) !== 0)
    .map(([, reason]) => reason)
    .join('; ');
}
