/** Two commit logs on disk, compared file by file. */
import fs from 'node:fs';
import path from 'node:path';

export interface LogComparison {
  /** Compared, from where the slave's log begins. */
  readonly bytes: number;
  readonly differing: number;
  /** Names of the files that differ. */
  readonly files: readonly string[];
  /** Where each file that differs does so first, in words. */
  readonly places: readonly string[];
}

/**
 * What the slave's log holds in front of `end` against the same places of the master's.
 * Shape: `master` and `slave` are folders of logs.
 */
export function compareLogs(
  master: string,
  slave: string,
  range: { readonly end: number; readonly segmentBytes: number },
): LogComparison {
  let [bytes, differing] = [0, 0];
  const places: string[] = [];
  const files: string[] = [];
  for (const name of fs.existsSync(slave) ? fs.readdirSync(slave).sort() : []) {
    const size = Math.min(range.segmentBytes, range.end - Number(name));
    if (size <= 0) continue;
    const [here, there] = [slave, master].map(folder => bytesOf(path.join(folder, name), size));
    bytes += size;
    if (here!.equals(there!)) continue;
    const found = differences(here!, there!);
    differing += found.count;
    files.push(name);
    places.push(`${name}: ${found.count} bytes differ, the first at ${Number(name) + found.first}`);
  }
  return { bytes, differing, files, places };
}

/** A file that is short or missing ends in nothing: there each byte differs. */
function bytesOf(file: string, size: number): Buffer {
  return fs.existsSync(file) ? fs.readFileSync(file).subarray(0, size) : Buffer.alloc(0);
}

function differences(left: Buffer, right: Buffer): { count: number; first: number } {
  let [count, first] = [0, -1];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    if (left[at] === right[at]) continue;
    count++;
    if (first < 0) first = at;
  }
  return { count, first };
}

/** The entries of a queue on disk, `count` of them from its first file on. */
export function queueEntries(store: string, topic: string, queueId: number, count: number): Buffer {
  const folder = path.join(store, 'consumequeue', topic, String(queueId));
  const files = fs.readdirSync(folder).sort();
  return Buffer.concat(files.map(name => fs.readFileSync(path.join(folder, name)))).subarray(0, 20 * count);
}
