/** Finding an offset by time in one queue. Source: spec storage 4.5; ConsumeQueue.getOffsetInQueueByTime. */

/**
 * The entry from `min` up to `max` (excluded) whose message was stored nearest to a time, the earlier of two that are
 * as near. Beyond the last message it is the last one. Units: ms; 0 for an empty queue.
 */
export function searchOffset(
  min: number,
  max: number,
  timestampMs: number,
  storeTimeOf: (offset: number) => number,
): number {
  const last = max - 1;
  if (last < min) return 0;
  let low = min;
  let high = last;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const time = storeTimeOf(middle);
    if (time === timestampMs) return middle;
    if (time < timestampMs) low = middle + 1;
    else high = middle - 1;
  }
  if (high < min) return min;
  if (low > last) return last;
  const before = timestampMs - storeTimeOf(high);
  const after = storeTimeOf(low) - timestampMs;
  return after < before ? low : high;
}
