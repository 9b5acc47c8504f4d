/** Properties as the store reads them, for tests of single records. */
import { PropertyRanges } from '../../protocol/property-ranges.js';

export function rangesOf(bytes: Uint8Array, start: number, end: number): PropertyRanges {
  const ranges = new PropertyRanges();
  ranges.find(bytes, start, end);
  return ranges;
}

/** The tags code of the property string `bytes[start, end)`. */
export function tagsCodeOf(bytes: Uint8Array, start: number, end: number): number {
  return rangesOf(bytes, start, end).tagsCode(bytes);
}
