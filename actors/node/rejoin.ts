/**
 * How a slave whose log goes on beyond its master's comes to follow it: what is beyond is set aside in a file, and cut
 * off when its rooms are started anew. Cold.
 */
import { formatBytes } from '../../runtime/base/units.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { Disk } from '../../storage/disk.js';
import { type SetAside, setAside } from '../../storage/set-aside.js';
import type { BeyondMaster } from '../coordinator/mailbox.js';
import type { LedSpan } from './led-span.js';
import type { NodeParts } from './stop-node.js';

/** What a broker decides by whether it sets the end of its log aside without being asked. */
export interface RejoinRules {
  readonly led: LedSpan | undefined;
  /** Key setAsideMaxBytes. Units: bytes. */
  readonly maxBytes: number;
  /** Where the log begins. Units: bytes. */
  readonly minimum: number;
}

/** In words why only an operator can ask for it; undefined when the broker may by itself. */
export function whyNotByItself(
  { from, to }: BeyondMaster,
  { led, maxBytes, minimum }: RejoinRules,
): string | undefined {
  const size = to - from;
  if (maxBytes === 0) return 'setAsideMaxBytes is 0';
  if (size > maxBytes) return `that is more than setAsideMaxBytes (${maxBytes})`;
  if (led === undefined || from < led.from || to > (led.to ?? to)) {
    return 'this broker did not write all of it as the master, so it may be all that is left of what a master acknowledged';
  }
  // A successor that has little of what this one has is rather a broker that lost its disk.
  if (size > from - minimum)
    return `that is more than the ${formatBytes(from - minimum)} that would be left of its log`;
  return undefined;
}

/** Puts what is beyond on the device, with the rooms running: the log does not grow, since nothing is replicated. */
export async function setBeyondAside(
  { store, log, shop }: NodeParts,
  disk: Disk,
  { master, from, to }: BeyondMaster,
): Promise<SetAside> {
  const { paths, segmentSize } = store!;
  const end = shop.positions.read('appended');
  if (end !== to) throw new Error(`its log ends at ${end} now, not at ${to}`);
  const reader = new CommitLogReader(disk, paths.commitLog, segmentSize);
  try {
    const done = await setAside({
      ...{ disk, folder: paths.setAside, log: reader, from, to },
      reason: `the master at ${master} has the same log up to ${from}`,
      nowMs: Date.now(),
      pause: () => new Promise(resolve => setImmediate(resolve)),
    });
    const { path: file, messages, wasThere } = done;
    const topics = Object.fromEntries(
      Object.entries(done.topics).map(([topic, queues]) => [
        topic,
        queues.reduce((sum, queue) => sum + queue.messages, 0),
      ]),
    );
    const what = `${messages} messages that its master does not have ${wasThere ? 'are' : 'were set aside'} in ${file}`;
    log.warn({ master, file, from, to, messages, topics }, `${what}; they are cut off its log now`);
    return done;
  } finally {
    reader.close();
  }
}
