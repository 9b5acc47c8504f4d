/** The fields of the end of a transaction. Source: spec remoting 5.6; EndTransactionRequestHeader. */
import { FieldIndex, slotsOf } from './field-index.js';

export const endTransactionFields = [
  'producerGroup',
  'tranStateTableOffset',
  'commitLogOffset',
  'commitOrRollback',
] as const;

/** Slot of each field in the index's `slots`. */
export const EndTransactionSlot = slotsOf(endTransactionFields);

export function createEndTransactionIndex(): FieldIndex {
  return new FieldIndex(endTransactionFields);
}
