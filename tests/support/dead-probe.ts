import type { ProcessProbe } from '../../storage/store-lock.js';
import type { MemoryDisk } from './faulty-disk.js';

/** For stores on a disk in memory, whose earlier owners are all dead: a process that died owns nothing. */
export function deadProbe(memory: MemoryDisk): ProcessProbe {
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
