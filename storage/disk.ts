/**
 * The disk as the store sees it, and its real form. The only file that touches node:fs, so that tests can hand in a
 * disk that tears writes, fills up or stalls.
 */
import fs from 'node:fs';
import { RingError } from '../runtime/base/errors.js';

/** An open file. All positions are explicit: there is no cursor. */
export interface DiskFile {
  readonly path: string;
  /**
   * Reads up to `length` bytes at `position` into `target`; returns how many there were.
   * Errors: RingError DISK_READ_FAILED.
   */
  read(target: Uint8Array, targetStart: number, length: number, position: number): number;
  /**
   * Writes exactly `length` bytes at `position`.
   * Errors: RingError DISK_WRITE_FAILED; some of the bytes may have been written.
   */
  write(source: Uint8Array, sourceStart: number, length: number, position: number): void;
  /** Returns when what was written is on the device (fdatasync). Errors: RingError DISK_WRITE_FAILED. */
  sync(): void;
  /** The same without blocking the thread. */
  syncAsync(done: (error: Error | null) => void): void;
  /** Units: bytes. */
  size(): number;
  /** Makes the file exactly `size` bytes long; new bytes read as zero and take no room until written. */
  truncate(size: number): void;
  close(): void;
}

export interface FileFacts {
  readonly size: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

export interface DiskSpace {
  readonly totalBytes: number;
  /** Free for anybody, the superuser included. */
  readonly freeBytes: number;
  /** Free for this process. */
  readonly usableBytes: number;
}

export interface Disk {
  /** `create`: made when missing. Errors: RingError DISK_READ_FAILED with the cause's code. */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile;
  /** Undefined when there is no such file. */
  facts(path: string): FileFacts | undefined;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(folder: string): string[];
  makeFolder(folder: string): void;
  readText(path: string): string | undefined;
  /** Writes a whole file and syncs it. */
  writeText(path: string, text: string): void;
  rename(from: string, to: string): void;
  /** Removes a file, or a folder with all that is in it; nothing happens when it does not exist. */
  remove(path: string): void;
  setModified(path: string, modifiedMs: number): void;
  /** Makes renames and removals in a folder durable. */
  syncFolder(folder: string): void;
  space(folder: string): DiskSpace;
}

function fault(
  code: 'DISK_READ_FAILED' | 'DISK_WRITE_FAILED',
  action: string,
  path: string,
  cause: unknown,
): RingError {
  const reason = (cause as { code?: string }).code ?? String(cause);
  return new RingError(code, `${action} ${path}: ${reason}`, { path, reason }, { cause });
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  read(target: Uint8Array, targetStart: number, length: number, position: number): number {
    try {
      return fs.readSync(this.#descriptor, target, targetStart, length, position);
    } catch (cause) {
      throw fault('DISK_READ_FAILED', 'reading', this.path, cause);
    }
  }

  write(source: Uint8Array, sourceStart: number, length: number, position: number): void {
    try {
      let done = 0;
      while (done < length) {
        done += fs.writeSync(this.#descriptor, source, sourceStart + done, length - done, position + done);
      }
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'writing', this.path, cause);
    }
  }

  sync(): void {
    try {
      fs.fdatasyncSync(this.#descriptor);
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'syncing', this.path, cause);
    }
  }

  syncAsync(done: (error: Error | null) => void): void {
    fs.fdatasync(this.#descriptor, cause =>
      done(cause ? fault('DISK_WRITE_FAILED', 'syncing', this.path, cause) : null),
    );
  }

  size(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  truncate(size: number): void {
    try {
      fs.ftruncateSync(this.#descriptor, size);
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'resizing', this.path, cause);
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

const openFlags = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
};

/** The real disk, through node:fs. */
export const nodeDisk: Disk = {
  open(path, mode) {
    try {
      return new NodeFile(path, fs.openSync(path, openFlags[mode], 0o644));
    } catch (cause) {
      throw fault(mode === 'create' ? 'DISK_WRITE_FAILED' : 'DISK_READ_FAILED', 'opening', path, cause);
    }
  },
  facts(path) {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    return stat && { size: stat.size, modifiedMs: stat.mtimeMs, isDirectory: stat.isDirectory() };
  },
  list(folder) {
    try {
      return fs.readdirSync(folder).sort();
    } catch (cause) {
      if ((cause as { code?: string }).code === 'ENOENT') return [];
      throw fault('DISK_READ_FAILED', 'listing', folder, cause);
    }
  },
  makeFolder(folder) {
    try {
      fs.mkdirSync(folder, { recursive: true });
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'making', folder, cause);
    }
  },
  readText(path) {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch (cause) {
      if ((cause as { code?: string }).code === 'ENOENT') return undefined;
      throw fault('DISK_READ_FAILED', 'reading', path, cause);
    }
  },
  writeText(path, text) {
    try {
      fs.writeFileSync(path, text, { flush: true });
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'writing', path, cause);
    }
  },
  rename(from, to) {
    try {
      fs.renameSync(from, to);
    } catch (cause) {
      throw fault('DISK_WRITE_FAILED', 'renaming', from, cause);
    }
  },
  remove(path) {
    fs.rmSync(path, { recursive: true, force: true });
  },
  setModified(path, modifiedMs) {
    fs.utimesSync(path, modifiedMs / 1000, modifiedMs / 1000);
  },
  syncFolder(folder) {
    const descriptor = fs.openSync(folder, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },
  space(folder) {
    const stat = fs.statfsSync(folder);
    return {
      totalBytes: stat.blocks * stat.bsize,
      freeBytes: stat.bfree * stat.bsize,
      usableBytes: stat.bavail * stat.bsize,
    };
  },
};
