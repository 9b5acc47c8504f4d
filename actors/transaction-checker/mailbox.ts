/**
 * What the transaction checker accepts: news of topics, its settings and how far half messages are checked
 * (actors/topic-news.ts); results of its appends (remoting/mailbox.ts).
 */

/** Configuration that may change while the checker runs. */
export interface TransactionCheckerSettings {
  /** False on a slave, and where checkTransactionMessageEnable is off: nobody is asked. */
  readonly check: boolean;
  /** Units: ms. */
  readonly transactionTimeOut: number;
  readonly transactionCheckMax: number;
  /** Units: ms. */
  readonly transactionCheckInterval: number;
  /** Units: hours. */
  readonly fileReservedTime: number;
}

/** How far one queue of half messages is checked: committed offsets of the group for it, -1 where there is none. */
export interface TransactionProgress {
  /** Of the half queue. */
  readonly half: number;
  /** Of the queue of op records that belongs to it. */
  readonly op: number;
}
