/** The other side of {@link ./lane-pool.ts LanePool}: what a lane's file exports. */
import { toErrorRecord } from '../control/wire-errors.js';

/**
 * Makes the default export of a lane's file. The lane runs until it has drained; what it throws reaches the pool's
 * `onCrashed` with its code and facts.
 *
 * @example
 * export default laneEntry(async (data: SendLaneData) => runSendLane(data));
 */
export const laneEntry =
  <Data>(run: (workerData: Data) => void | Promise<void>): ((workerData: Data) => Promise<void>) =>
  async workerData => {
    try {
      await run(workerData);
    } catch (error) {
      throw toErrorRecord(error);
    }
  };
