/**
 * Requests that store a message made from one that is in the log already: what failed to be consumed comes back
 * (code 36), a half message is to be asked about again (code 323). No ring, no clock, no file: the actor acts on the
 * outcome. The end of a transaction, which is as frequent as sends, is end-transaction.ts.
 */
import type { RemotingCommand } from '../../protocol/command.js';
import { type CopyFields, copyRecord, copySizeMax } from '../../protocol/record-copy.js';
import type { GroupSnapshot } from '../group-snapshot.js';
import type { KnownTopic, TopicSnapshot } from '../topic-snapshot.js';
import type { SendContext } from './behaviour.js';
import type { LaneSettings } from './mailbox.js';
import type { Place } from './placement.js';
import type { RecordSource } from './record-source.js';

/** What a handler may look at. */
export interface LaneView {
  readonly topics: TopicSnapshot;
  readonly groups: GroupSnapshot;
  readonly context: SendContext;
  readonly settings: LaneSettings;
  readonly storeState: number;
  readonly records: RecordSource;
}

export interface AppendOutcome {
  readonly kind: 'append';
  readonly records: Uint8Array;
  readonly queueNumber: number;
  readonly queueId: number;
  readonly count: number;
  /** -1: no companion. */
  readonly companionQueue: number;
  /** Its sender hears of it when it is as safe as the broker's policy makes it. */
  readonly waits: boolean;
  /** What is noted of it when it is traced, of TraceEvent. */
  readonly traceEvent: number;
  /** Physical offset of the message it is made from. */
  readonly madeFrom: number;
  /** The message comes back from a group that could not consume it: whose, and of which topic. */
  readonly sentBack?: { readonly topic: string; readonly group: string };
}

export type StoredOutcome =
  | AppendOutcome
  | { readonly kind: 'answer'; readonly code: number; readonly remark: string | null }
  /** The coordinator must make a topic or group first; `code` is the answer when it cannot. */
  | { readonly kind: 'topicNeeded' | 'deadLetterTopicNeeded'; readonly code: number; readonly remark: string };

export type StoredHandler = (request: RemotingCommand, view: LaneView) => StoredOutcome;

export const answer = (code: number, remark: string | null = null): StoredOutcome => ({ kind: 'answer', code, remark });

const encoder = new TextEncoder();

/** The number of a place's queue, undefined when the lane knows no such queue. */
export function queueNumberOf(topics: TopicSnapshot, place: Place): number | undefined {
  return topics.get(place.topic)?.queueNumbers[place.queueId];
}

/** A queue of the topic, chosen at random among the first `count`. */
export function randomQueue(topic: KnownTopic, count: number): number {
  return Math.floor(Math.random() * Math.max(1, Math.min(count, topic.queueNumbers.length)));
}

/** A record at `place`, with the body and birth of `source`. */
export function copyAt(
  source: Uint8Array,
  place: Place,
  properties: Uint8Array,
  context: SendContext,
  fields: Omit<CopyFields, 'topic' | 'queueId' | 'properties' | 'storeAddress' | 'storePort'>,
): Uint8Array {
  const topic = encoder.encode(place.topic);
  const { storeAddress, storePort } = context;
  const target = new Uint8Array(copySizeMax(source, 0, topic.length, properties.length));
  const own = { ...fields, topic, queueId: place.queueId, properties, storeAddress, storePort };
  return target.subarray(0, copyRecord(source, 0, target, 0, own));
}
