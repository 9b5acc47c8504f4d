/**
 * What the scheduler accepts besides news of topics: its settings, JSON in a SETTINGS record of its news ring. It
 * delivers nothing before the first one, which comes behind all topics.
 */
export interface SchedulerSettings {
  /** Delayed messages are delivered here; false on a slave, whose master does it. */
  readonly deliver: boolean;
  /** Units: ms. */
  readonly flushDelayOffsetInterval: number;
  /** Most messages of one level that are on their way to the log. */
  readonly scheduleAsyncDeliverMaxPendingLimit: number;
}
