/**
 * What can limit a broker, by name: the remark of a SYSTEM_BUSY and `ringmq doctor` use the same words.
 */

/** Each bottleneck, in words. */
export const bottlenecks = {
  diskFlush: 'disk flush',
  slaveLag: 'slave lag',
  lanes: 'lanes',
  pageCache: 'page cache',
  permits: 'permits',
  coordinator: 'coordinator',
  cores: 'cores',
  garbage: 'garbage collection',
  clientInFlight: 'client in flight',
  nothing: 'nothing',
} as const;

export type Bottleneck = keyof typeof bottlenecks;

/** Where the sends stand that a broker has taken and not answered. */
export interface SendBacklog {
  /** Answers that wait for the disk, and for a slave. */
  readonly awaitingFlush: number;
  readonly awaitingSlave: number;
  /** How long the oldest request in the ring of a send lane stands there. Units: ms. */
  readonly laneWaitMs: number;
  /** How full the fullest ring towards the writer is, 0 to 1. */
  readonly writerFill: number;
}

/** A request that stands longer in its ring did not just come in with others. Units: ms. */
const LANE_WAIT_MS = 20;
const WRITER_FILL = 0.5;

/** What holds the sends up, seen from one moment: the first room on their way that is behind, from its end. */
export function holdsSends({ awaitingFlush, awaitingSlave, laneWaitMs, writerFill }: SendBacklog): Bottleneck {
  if (writerFill >= WRITER_FILL) return 'pageCache';
  if (laneWaitMs >= LANE_WAIT_MS) return 'lanes';
  if (awaitingSlave > awaitingFlush) return 'slaveLag';
  if (awaitingFlush > 0) return 'diskFlush';
  // They came in together and nobody had a turn yet.
  return 'permits';
}

/** The end of the remark of a SYSTEM_BUSY. */
export function limitedBy(bottleneck: Bottleneck): string {
  return `limited by ${bottlenecks[bottleneck]}`;
}
