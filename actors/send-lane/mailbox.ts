/** What a send lane accepts besides requests (actors/inbound.ts) and news (actors/topic-news.ts). */

/** Configuration that may change while a lane runs. */
export interface LaneSettings {
  /** Units: bytes. */
  readonly maxMessageSize: number;
  /** Units: ms. */
  readonly waitTimeMillsInSendQueue: number;
  readonly brokerPermission: number;
  readonly rejectTransactionMessage: boolean;
  /** Units: ms since the epoch. */
  readonly startAcceptSendRequestTimeStamp: number;
}
