/** What the recorders held when a node could not go on, in a file that Perfetto opens. Cold. */
import { join } from 'node:path';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { type Recording, toChromeTrace } from '../../runtime/trace/timeline.js';
import type { Disk } from '../../storage/disk.js';
import type { Workshop } from './memory.js';
import { readAll } from './trace-requests.js';

/** How much before the newest event is kept. Units: ms. */
const KEPT_MS = 1000;

/** Writes the last second to `folder` and says where; nothing when nothing was traced. */
export function dumpRecorders(disk: Disk, folder: string, shop: Workshop, log: Logger, nowMs: number): void {
  const all = readAll(shop, 0);
  const newestMs = Object.values(all).reduce((newest, events) => Math.max(newest, events.at(-1)?.timeMs ?? 0), 0);
  if (newestMs === 0) return;
  const last = Object.entries(all).map(([actor, events]) => [
    actor,
    events.filter(({ timeMs }) => timeMs >= newestMs - KEPT_MS),
  ]);
  const file = join(folder, `flight-recording-${new Date(nowMs).toISOString().replace(/[:.]/g, '')}.json`);
  try {
    disk.makeFolder(folder);
    disk.writeText(file, JSON.stringify(toChromeTrace({ broker: Object.fromEntries(last) as Recording })));
    log.error({ file }, 'what the actors did in their last second is in this file, for Perfetto');
  } catch (error) {
    log.warn({ file, reason: messageOf(error) }, 'what the actors did last could not be written');
  }
}
