import type { MasterPlace } from '../ha-receiver/mailbox.js';

/** What the coordinator accepts besides requests (InboundType of actors/inbound.ts: FRAME, CLOSED). */
export const CoordinatorType = {
  /** An InboundFrame of a send whose topic a lane does not know: make it, tell everybody, send the frame back. */
  TOPIC_NEEDED: 5,
  /** An InboundFrame whose group (field consumerGroup, or group) a lane does not know: the same for the group. */
  GROUP_NEEDED: 6,
  /** An InboundFrame of a message that was tried too often: the same for the topic of its group's dead letters. */
  DEAD_LETTER_TOPIC_NEEDED: 7,
  /** An InboundFrame of a reply: hand it to its producer, then send the frame back, or end it. */
  REPLY: 8,
  /** JSON {group, topic, queueId, offset}: an offset that came with a pull. */
  OFFSET_COMMIT: 9,
  /** JSON {slot, topic, group}: what a slot of the lane's GroupTraffic means. */
  PAIR_NAMED: 10,
  /** Empty: the transaction checker wants to know how far half messages are checked (news TRANSACTION_PROGRESS). */
  TRANSACTION_PROGRESS_NEEDED: 11,
  /** A {@link TransactionQuestion}: ask a producer of the group what became of a transaction. */
  TRANSACTION_QUESTION: 12,
  /** JSON {topic, queueId}: a slave's dispatcher has a record of a queue whose topic it does not know. */
  QUEUE_NEEDED: 20,
  /** JSON of an {@link HaStatus}: how replication stands now. */
  HA_STATUS: 21,
} as const;

/**
 * JSON of a {@link TransactionQuestionHead}, and behind it the half message as the producer knows it.
 * Units: words, bytes.
 */
export const TransactionQuestion = { headSize: 0, messageSize: 1, headBytes: 8 } as const;

export interface TransactionQuestionHead {
  /** Of the producer. */
  readonly group: string;
  /** Header of CHECK_TRANSACTION_STATE (39). */
  readonly fields: Readonly<Record<string, string>>;
}

/** JSON of OFFSET_COMMIT. */
export interface OffsetCommit {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
}

/** A slave as its master sees it. */
export interface SlaveStatus {
  readonly address: string;
  /** How far it has acknowledged. Units: bytes from the start of the log. */
  readonly ackOffset: number;
  readonly behindBytes: number;
  /** How long it has been without the oldest of them. */
  readonly behindMs: number;
  readonly transferredBytes: number;
}

/** What the HA rooms say of themselves, and the forwarder of who came after this broker. */
export type HaStatus =
  /** `place`: the successor is the master, here; without it: it is registered, or not waited for any longer. */
  | { readonly room: 'forwarder'; readonly place?: MasterPlace }
  | { readonly room: 'ha-sender'; readonly slaves: readonly SlaveStatus[] }
  | {
      readonly room: 'ha-receiver';
      /** Of ha-client.machine.ts. */
      readonly state: string;
      /** HA address of the master; '' while none is known. */
      readonly master: string;
      readonly receivedBytes: number;
      /** Why it is not replicating; '' when it is. */
      readonly trouble: string;
      readonly beyond?: BeyondMaster;
    };

/** What a slave's log holds beyond the last record that its master has too. Units: bytes. */
export interface BeyondMaster {
  /** `host:port` of that master, which serves requests. */
  readonly master: string;
  readonly from: number;
  /** Where the log ends. */
  readonly to: number;
  /** Of the record that ends at `from`. Units: ms since the epoch. */
  readonly storeTimestamp: number;
}
