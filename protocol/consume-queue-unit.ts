/** One entry of a consume queue. Source: spec storage 4.1; ConsumeQueue. */
import { assert } from '../runtime/base/assert.js';
import { layout } from './layout.js';

export const ConsumeQueueUnit = layout('ConsumeQueueUnit', {
  physicalOffset: 'i64',
  size: 'i32',
  /** Hash of the tag, sign-extended; a delivery time in the schedule topic. */
  tagsCode: 'i64',
});
assert(ConsumeQueueUnit.size === 20, 'a consume queue entry takes 20 bytes');

/** Size of an entry that fills the gap before a queue's first message. */
export const BLANK_UNIT_SIZE = 0x7fffffff;
