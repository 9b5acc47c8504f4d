/** The fields of a pull request. Source: spec remoting 6.1; PullMessageRequestHeader. */
import { FieldIndex, slotsOf } from './field-index.js';

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

/** Slot of each field in the index's `slots`. */
export const PullMessageSlot = slotsOf(pullMessageFields);

export function createPullMessageIndex(): FieldIndex {
  return new FieldIndex(pullMessageFields);
}
