/** The fields of a pull request. Source: spec remoting 6.1; PullMessageRequestHeader. */
import { FieldIndex } from './field-index.js';

export const pullMessageFields = [
  'consumerGroup',
  'topic',
  'queueId',
  'queueOffset',
  'maxMsgNums',
  'sysFlag',
  'commitOffset',
  'suspendTimeoutMillis',
  'subscription',
  'subVersion',
  'expressionType',
] as const;

export type PullMessageField = (typeof pullMessageFields)[number];

/** Slot of each field in the index's `slots`. */
export const PullMessageSlot = Object.fromEntries(pullMessageFields.map((name, slot) => [name, slot])) as Record<
  PullMessageField,
  number
>;

export function createPullMessageIndex(): FieldIndex {
  return new FieldIndex(pullMessageFields);
}
