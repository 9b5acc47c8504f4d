/** Whoever owned the store before is gone, on a disk in memory. */
import type { ProcessProbe } from '../../storage/store-lock.js';
import type { MemoryDisk } from './faulty-disk.js';

/** A process that died owns nothing. */
export function probeOf(memory: MemoryDisk): ProcessProbe {
  return {
    pid: 1,
    isAlive: () => false,
    startTime: () => undefined,
    lockedByOther: () => undefined,
    createExclusive: (path, text) => {
      if (memory.facts(path) !== undefined) return false;
      memory.writeText(path, text);
      return true;
    },
  };
}
