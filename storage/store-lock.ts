/**
 * One process owns a store directory. The owner's name stands in `lock.pid`, beside the `lock` file a Java broker
 * locks; `abort` tells the next start whether this one ended well. Cold. Source: spec storage 6, 17.9.
 *
 * Node has no POSIX record locks, so a file names the owner and whoever finds it asks whether that process still lives.
 * The limits of that: it holds on one machine and in one process namespace, and a Java broker does not look at it. The
 * other way round, a Java broker's lock is seen where /proc/locks shows it.
 */
import { RingError } from '../runtime/base/errors.js';
import type { Disk } from './disk.js';
import type { StorePaths } from './paths.js';

/** What the lock asks the operating system; `storage/process-probe.ts` is the real one. */
export interface ProcessProbe {
  /** This process. */
  readonly pid: number;
  isAlive(pid: number): boolean;
  /** Distinguishes a process from a later one with the same pid; undefined where that cannot be known. */
  startTime(pid: number): string | undefined;
  /** A process other than this one that holds a POSIX lock on the file, if that can be seen. */
  lockedByOther(path: string): number | undefined;
  /** Makes a file with that content; false when there is one already. Never both at once. */
  createExclusive(path: string, text: string): boolean;
}

export interface StoreLock {
  /** Gives the directory up. Calling it twice is harmless. */
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly startTime: string;
  /** Tells two owners apart even when pid and start time cannot. */
  readonly nonce: string;
}

/** What a Java broker writes into `lock`. */
const LOCK_TEXT = 'lock';
const UNKNOWN = '-';
/** How often an owner that vanished while being looked at is looked at again. */
const ATTEMPTS_MAX = 64;
/** Owners that died one after the other while taking over. */
const CHAIN_MAX = 64;

/**
 * Makes this process the owner of the store.
 * Errors: RingError STORE_LOCKED with `facts.folder` and `facts.pid`.
 */
export function acquireStoreLock(disk: Disk, probe: ProcessProbe, paths: StorePaths): StoreLock {
  disk.makeFolder(paths.root);
  const found = disk.readText(paths.lock);
  if (found !== LOCK_TEXT) disk.writeText(paths.lock, LOCK_TEXT);
  const pidFile = `${paths.lock}.pid`;
  const text = formatOwner({
    pid: probe.pid,
    startTime: probe.startTime(probe.pid) ?? UNKNOWN,
    nonce: crypto.randomUUID(),
  });
  becomeOwner(disk, probe, paths, pidFile, text);
  const lock: StoreLock = {
    release() {
      if (disk.readText(pidFile) === text) disk.remove(pidFile);
    },
  };
  // Nobody holds a lock on a file that did not exist; looking takes as long as the system has locks.
  const javaPid = found === undefined ? undefined : probe.lockedByOther(paths.lock);
  if (javaPid !== undefined) {
    lock.release();
    throw refusal(paths, javaPid, `process ${javaPid} holds the lock on ${paths.lock} (a Java broker does that)`);
  }
  return lock;
}

function becomeOwner(disk: Disk, probe: ProcessProbe, paths: StorePaths, pidFile: string, text: string): void {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (probe.createExclusive(pidFile, text)) return;
    if (takeOver(disk, probe, paths, pidFile, text)) return;
  }
  throw refusal(paths, 0, 'other processes keep starting and stopping in it');
}

/**
 * Takes the place of an owner that died; false when the files changed meanwhile and it is worth another look.
 *
 * Deciding that the owner is dead and replacing its file are two steps, and another process may do both in between. So
 * the right to replace it is itself a file that only one can make: `lock.pid.<nonce of the dead>`. Who made it looks
 * again whether the dead owner still stands in `lock.pid`; if so nobody else can have replaced it, nor can from now on.
 * A process that dies in the middle leaves its claim, and is succeeded in the same way: the claims form a chain.
 */
function takeOver(disk: Disk, probe: ProcessProbe, paths: StorePaths, pidFile: string, text: string): boolean {
  const chain: { path: string; text: string }[] = [];
  let path = pidFile;
  for (;;) {
    const found = disk.readText(path);
    if (found === undefined) break;
    const owner = parseOwner(found);
    if (owner && isRunning(probe, owner)) {
      const who = owner.pid === probe.pid ? 'this very process' : `process ${owner.pid}`;
      throw refusal(paths, owner.pid, `${who} uses it (so says ${path})`);
    }
    chain.push({ path, text: found });
    if (chain.length > CHAIN_MAX) throw refusal(paths, owner?.pid ?? 0, `too many files named ${pidFile}.*`);
    path = `${pidFile}.${owner?.nonce ?? 'unreadable'}`;
  }
  if (chain.length === 0) return false;
  if (!probe.createExclusive(path, text)) return false;
  if (chain.some(link => disk.readText(link.path) !== link.text)) {
    disk.remove(path);
    return false;
  }
  disk.rename(path, pidFile);
  for (const link of chain.slice(1)) disk.remove(link.path);
  return true;
}

function isRunning(probe: ProcessProbe, owner: Owner): boolean {
  if (!probe.isAlive(owner.pid)) return false;
  const startTime = probe.startTime(owner.pid);
  return owner.startTime === UNKNOWN || startTime === undefined || startTime === owner.startTime;
}

function formatOwner(owner: Owner): string {
  return `${owner.pid} ${owner.startTime} ${owner.nonce}\n`;
}

/** Undefined for what no owner wrote: it cannot be asked about, so it is treated as left behind. */
function parseOwner(text: string): Owner | undefined {
  const match = /^(\d+) (\S+) ([\w-]+)\n$/.exec(text);
  return match ? { pid: Number(match[1]), startTime: match[2]!, nonce: match[3]! } : undefined;
}

function refusal(paths: StorePaths, pid: number, reason: string): RingError {
  return new RingError(
    'STORE_LOCKED',
    `the store ${paths.root} is in use: ${reason}. Stop that process, or give this broker a directory of its own ` +
      `with storePathRootDir`,
    { folder: paths.root, pid },
  );
}

/** Marks the store as running: a start that finds the mark knows that the last one did not end well. */
export function createAbortFile(disk: Disk, paths: StorePaths, pid: number): void {
  disk.writeText(paths.abort, String(pid));
  disk.syncFolder(paths.root);
}

export function hasAbortFile(disk: Disk, paths: StorePaths): boolean {
  return disk.facts(paths.abort) !== undefined;
}

/** Marks the store as cleanly stopped: the last thing a broker does with it. */
export function removeAbortFile(disk: Disk, paths: StorePaths): void {
  disk.remove(paths.abort);
  disk.syncFolder(paths.root);
}
