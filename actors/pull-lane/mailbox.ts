/**
 * What a pull lane accepts besides requests (actors/inbound.ts), news (actors/topic-news.ts) and queue numbers
 * (dispatcher).
 */

/** Configuration that may change while a lane runs. */
export interface PullLaneSettings {
  readonly brokerPermission: number;
  readonly offsetCheckInSlave: boolean;
  readonly longPollingEnable: boolean;
  readonly slaveReadEnable: boolean;
  /** Units: ms. */
  readonly shortPollingTimeMills: number;
  readonly maxTransferBytesOnMessageInMemory: number;
  readonly maxTransferCountOnMessageInMemory: number;
  readonly maxTransferBytesOnMessageInDisk: number;
  readonly maxTransferCountOnMessageInDisk: number;
  /** Bytes behind the end of the log from which on messages count as on disk. */
  readonly inMemoryBytes: number;
  /** Most pulls held at a time; more are answered at once. */
  readonly holdsMax: number;
  /** Units: ms. */
  readonly waitTimeMillsInPullQueue: number;
  readonly maxMsgsNumBatch: number;
  readonly defaultQueryMaxNum: number;
  readonly enablePropertyFilter: boolean;
  readonly filterSupportRetry: boolean;
}
