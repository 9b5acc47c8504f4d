/**
 * What the operating system says about processes and their locks, for {@link ./store-lock.ts}. With `disk.ts` the only
 * file that may touch node:fs.
 */
import fs from 'node:fs';
import type { ProcessProbe } from './store-lock.js';

/** Field of /proc/<pid>/stat that says when the process began, counted from the state field behind the name. */
const START_TIME_FIELD = 19;
let draftCount = 0;

/** The real probe, through /proc where there is one. */
export const nodeProcessProbe: ProcessProbe = {
  pid: process.pid,

  isAlive(pid) {
    // A zombie still answers to signals but holds nothing.
    const state = statFields(pid)?.[0];
    if (state !== undefined) return state !== 'Z' && state !== 'X';
    try {
      process.kill(pid, 0);
      return true;
    } catch (cause) {
      return (cause as { code?: string }).code === 'EPERM';
    }
  },

  startTime(pid) {
    const ticks = statFields(pid)?.[START_TIME_FIELD];
    if (ticks === undefined) return undefined;
    // Ticks count from the machine's start: without the boot's own id they would repeat after a reboot.
    const boot = readFile('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? '';
    return `${boot}:${ticks}`;
  },

  lockedByOther(path) {
    const locks = readFile('/proc/locks');
    if (locks === undefined) return undefined;
    const { dev, ino } = fs.statSync(path, { bigint: true });
    // The kernel's encoding of a device number, as stat reports it.
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    return findLockHolder(locks, `${hex(major)}:${hex(minor)}:${ino}`, process.pid);
  },

  createExclusive(path, text) {
    // A hard link puts name and content there in one step: nobody can see the file half written.
    const draft = `${path}.${process.pid}.${draftCount++}.draft`;
    fs.writeFileSync(draft, text, { flush: true });
    try {
      fs.linkSync(draft, path);
      return true;
    } catch (cause) {
      const code = (cause as { code?: string }).code;
      if (code === 'EEXIST') return false;
      if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') return createWithoutLink(path, text);
      throw cause;
    } finally {
      fs.rmSync(draft, { force: true });
    }
  },
};

/** For file systems without hard links; the name is there a moment before the text is. */
function createWithoutLink(path: string, text: string): boolean {
  try {
    fs.writeFileSync(path, text, { flag: 'wx', flush: true });
    return true;
  } catch (cause) {
    if ((cause as { code?: string }).code === 'EEXIST') return false;
    throw cause;
  }
}

/**
 * The process that holds a lock on `file` (major:minor:inode) in the text of /proc/locks, other than `ownPid`.
 * Shape of a line: `1: POSIX  ADVISORY  WRITE 4711 08:01:131077 0 0`; a waiting process has `->` behind the number.
 */
export function findLockHolder(locks: string, file: string, ownPid: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, type, , access, pid, target] = line.trim().split(/\s+/);
    if (type === 'POSIX' && access === 'WRITE' && target === file && Number(pid) !== ownPid) return Number(pid);
  }
  return undefined;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(2, '0');
}

function readFile(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The fields of /proc/<pid>/stat behind the process name, which may itself hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  const stat = readFile(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}
