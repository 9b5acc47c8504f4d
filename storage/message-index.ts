/**
 * The key index: messages found by their UNIQ_KEY and KEYS. Here its recovery, and the door to its writer and reader.
 * Source: spec storage 5, 10.5; IndexService.load.
 */
import { join } from 'node:path';
import type { Disk } from './disk.js';
import {
  entryPosition,
  type FoundIndexFile,
  findIndexFiles,
  listIndexNames,
  type MessageIndexConfig,
} from './index-file.js';

export type { MessageIndexConfig } from './index-file.js';
export { type IndexQueryResult, MessageIndexReader } from './message-index-reader.js';
export { MessageIndexWriter, type MessageIndexWriterOptions } from './message-index-writer.js';

/**
 * Deletes the index files that cannot be trusted, before a writer or a reader opens the index; returns from where
 * on the log must be read again so that no key is lost, infinite when nothing was deleted. A Java broker does not
 * read it again and loses the keys.
 *
 * Not trusted is a file that is cut short of its entries, or that indexes what lies behind the end of the log;
 * after an unclean stop also one that is newer than the checkpoint knows to be on the device, or not full, since
 * the checkpoint speaks of full files only. All newer files go with it, so that what is left has no gap. Empty
 * files go too.
 *
 * Units: bytes in the log; `checkpointIndexTimestampMs` is the checkpoint's indexMsgTimestamp.
 * Errors: RingError DISK_READ_FAILED.
 */
export function recoverIndex(
  disk: Disk,
  config: MessageIndexConfig,
  checkpointIndexTimestampMs: number,
  cleanStop: boolean,
  minPhysicalOffset: number,
  endPhysicalOffset = Number.POSITIVE_INFINITY,
): number {
  const isTrusted = ({ path, header }: FoundIndexFile): boolean => {
    if (header.indexCount <= 1 || header.endPhyOffset >= endPhysicalOffset) return false;
    if ((disk.facts(path)?.size ?? 0) < entryPosition(config, header.indexCount)) return false;
    if (cleanStop) return true;
    return header.indexCount >= config.maxIndexNum && header.endTimestamp <= checkpointIndexTimestampMs;
  };
  const names = listIndexNames(disk, config.folder);
  const found = new Map(findIndexFiles(disk, config).map(file => [file.name, file]));
  let end = minPhysicalOffset;
  let kept = 0;
  for (const name of names) {
    const file = found.get(name);
    if (file === undefined || !isTrusted(file)) break;
    end = Math.max(end, file.header.endPhyOffset);
    kept++;
    // The file the checkpoint was written for. One behind it may have its time, or an earlier one where the clock went
    // back, without being on the device.
    if (!cleanStop && file.header.endTimestamp === checkpointIndexTimestampMs) break;
  }
  if (kept === names.length) return Number.POSITIVE_INFINITY;
  // The newest first: a crash in between leaves no gap.
  for (const name of names.slice(kept).reverse()) disk.remove(join(config.folder, name));
  disk.syncFolder(config.folder);
  return end;
}
