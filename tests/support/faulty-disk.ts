/**
 * Disks that misbehave on purpose. {@link MemoryDisk} keeps files in memory and forgets at a crash what was not synced;
 * {@link FaultyDisk} stands in front of any disk and fills up, fails, tears writes, stalls syncs or loses power.
 */
import { dirname, join } from 'node:path';
import { RingError } from '../../runtime/base/errors.js';
import { Prng } from '../../runtime/base/prng.js';
import type { Disk, DiskFile, DiskSpace, FileFacts } from '../../storage/disk.js';

/** What survives a crash as a whole or not at all. Units: bytes. */
const PAGE_SIZE = 4096;

function diskError(code: 'DISK_READ_FAILED' | 'DISK_WRITE_FAILED', path: string, reason: string): RingError {
  return new RingError(code, `${path}: ${reason}`, { path, reason });
}

class Content {
  current = new Uint8Array(0);
  /** What a crash cannot take away, as long as the file. */
  durable = new Uint8Array(0);
  readonly dirtyPages = new Set<number>();
  modifiedMs = 0;

  resize(size: number): void {
    this.current = resized(this.current, size);
    this.durable = resized(this.durable, size);
  }

  write(source: Uint8Array, position: number): void {
    if (position + source.length > this.current.length) this.resize(position + source.length);
    this.current.set(source, position);
    const last = Math.floor((position + source.length - 1) / PAGE_SIZE);
    for (let page = Math.floor(position / PAGE_SIZE); page <= last; page++) this.dirtyPages.add(page);
  }

  sync(): void {
    for (const page of this.dirtyPages) copyPage(this.current, this.durable, page);
    this.dirtyPages.clear();
  }

  crash(random: Prng): void {
    for (const page of this.dirtyPages) if (random.oneIn(2)) copyPage(this.durable, this.current, page);
    this.durable = this.current.slice();
    this.dirtyPages.clear();
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}

function copyPage(from: Uint8Array, to: Uint8Array, page: number): void {
  to.set(from.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE), page * PAGE_SIZE);
}

/**
 * A disk in memory. Names and sizes are durable at once (a journal keeps them in order); content is durable once
 * synced. At {@link crash} each 4 KiB page that was not synced is there or not, as the seed wants.
 */
export class MemoryDisk implements Disk {
  /** Time stamped on what is written. Units: ms. */
  nowMs = 1_700_000_000_000;
  spaceAnswer: DiskSpace = { totalBytes: 1e12, freeBytes: 9e11, usableBytes: 9e11 };
  readonly #files = new Map<string, Content>();
  readonly #folders = new Set<string>(['/']);

  crash(seed: number): void {
    const random = new Prng(seed);
    for (const content of this.#files.values()) content.crash(random);
  }

  /** The file's bytes, to look at and to damage. */
  bytes(path: string): Uint8Array {
    return this.#existing(path).current;
  }

  /** An independent copy of everything, taken to be on the device. */
  clone(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const folder of this.#folders) copy.#folders.add(folder);
    for (const [path, content] of this.#files) {
      const file = new Content();
      file.current = content.current.slice();
      file.durable = content.current.slice();
      file.modifiedMs = content.modifiedMs;
      copy.#files.set(path, file);
    }
    return copy;
  }

  #existing(path: string): Content {
    const content = this.#files.get(path);
    if (content === undefined) throw diskError('DISK_READ_FAILED', path, 'ENOENT');
    return content;
  }

  #create(path: string): Content {
    if (!this.#folders.has(dirname(path))) throw diskError('DISK_WRITE_FAILED', path, 'ENOENT');
    const content = this.#files.get(path) ?? new Content();
    content.modifiedMs = this.nowMs;
    this.#files.set(path, content);
    return content;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    const content = mode === 'create' && !this.#files.has(path) ? this.#create(path) : this.#existing(path);
    const changing = (): void => {
      if (mode === 'read') throw diskError('DISK_WRITE_FAILED', path, 'EBADF');
      content.modifiedMs = this.nowMs;
    };
    return {
      path,
      read: (target, targetStart, length, position) => {
        const found = content.current.subarray(position, position + length);
        target.set(found, targetStart);
        return found.length;
      },
      write: (source, sourceStart, length, position) => {
        changing();
        if (length > 0) content.write(source.subarray(sourceStart, sourceStart + length), position);
      },
      sync: () => content.sync(),
      syncAsync: done => {
        content.sync();
        queueMicrotask(() => done(null));
      },
      size: () => content.current.length,
      truncate: size => {
        changing();
        content.resize(size);
      },
      close: () => {},
    };
  }

  facts(path: string): FileFacts | undefined {
    if (this.#folders.has(path)) return { size: 0, modifiedMs: 0, isDirectory: true };
    const content = this.#files.get(path);
    return content && { size: content.current.length, modifiedMs: content.modifiedMs, isDirectory: false };
  }

  list(folder: string): string[] {
    const paths = [...this.#files.keys(), ...this.#folders];
    return paths
      .filter(path => path !== folder && dirname(path) === folder)
      .map(path => path.slice(join(folder, '/').length))
      .sort();
  }

  makeFolder(folder: string): void {
    for (let path = folder; !this.#folders.has(path); path = dirname(path)) this.#folders.add(path);
  }

  readText(path: string): string | undefined {
    const content = this.#files.get(path);
    return content && new TextDecoder().decode(content.current);
  }

  writeText(path: string, text: string): void {
    const content = this.#create(path);
    content.resize(0);
    content.write(new TextEncoder().encode(text), 0);
    content.sync();
  }

  rename(from: string, to: string): void {
    const content = this.#files.get(from);
    if (content === undefined) throw diskError('DISK_WRITE_FAILED', from, 'ENOENT');
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  remove(path: string): void {
    for (const name of [...this.#files.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#files.delete(name);
    }
    for (const name of [...this.#folders]) if (name === path || name.startsWith(`${path}/`)) this.#folders.delete(name);
  }

  setModified(path: string, modifiedMs: number): void {
    this.#existing(path).modifiedMs = modifiedMs;
  }

  syncFolder(folder: string): void {
    if (!this.#folders.has(folder)) throw diskError('DISK_READ_FAILED', folder, 'ENOENT');
  }

  space(): DiskSpace {
    return this.spaceAnswer;
  }
}

/** The machine stopped: thrown by the call that met it and by every later one. */
export class PowerFailure extends Error {
  override readonly name = 'PowerFailure';
}

export interface Faults {
  /** Bytes that can still be written; then a prefix is written and ENOSPC follows. */
  spaceBytes?: number;
  /** Power fails after that many more bytes: the write in progress leaves a prefix. */
  powerBytes?: number;
  /** Power fails before that many more changes (writes, resizes, renames, removals, new files) are made. */
  powerChanges?: number;
  /** Answers the error code a call fails with, or undefined. */
  fail?: (call: 'read' | 'write' | 'sync', path: string, position: number) => string | undefined;
  /** `syncAsync` answers only when {@link FaultyDisk.releaseSyncs} is called. */
  holdSyncs?: boolean;
  /** `sync` blocks its thread that long. Units: ms. */
  syncDelayMs?: number;
}

/**
 * A disk with faults that can be changed at any time.
 *
 * @example
 * const disk = new FaultyDisk(new MemoryDisk());
 * disk.faults.spaceBytes = 10_000;
 */
export class FaultyDisk implements Disk {
  readonly faults: Faults = {};
  #failed = false;
  readonly #inner: Disk;
  readonly #heldSyncs: (() => void)[] = [];

  constructor(inner: Disk, faults: Faults = {}) {
    this.#inner = inner;
    this.faults = faults;
  }

  /** How many `syncAsync` calls wait. */
  get heldSyncCount(): number {
    return this.#heldSyncs.length;
  }

  releaseSyncs(): void {
    for (const release of this.#heldSyncs.splice(0)) release();
  }

  #checkPower(): void {
    if (this.#failed) throw new PowerFailure('there is no power');
  }

  /** Called before anything on the disk changes. */
  #change(): void {
    this.#checkPower();
    if (this.faults.powerChanges === undefined) return;
    if (this.faults.powerChanges <= 0) {
      this.#failed = true;
      throw new PowerFailure('power failed before a change');
    }
    this.faults.powerChanges--;
  }

  /** How many of `length` bytes get through, and what is thrown after them. */
  #admit(length: number, path: string): { admitted: number; error?: Error } {
    const { spaceBytes = Number.POSITIVE_INFINITY, powerBytes = Number.POSITIVE_INFINITY } = this.faults;
    const admitted = Math.min(length, spaceBytes, powerBytes);
    if (this.faults.spaceBytes !== undefined) this.faults.spaceBytes -= admitted;
    if (this.faults.powerBytes !== undefined) this.faults.powerBytes -= admitted;
    if (admitted === length) return { admitted };
    if (powerBytes <= spaceBytes) {
      this.#failed = true;
      return { admitted, error: new PowerFailure(`power failed after ${admitted} of ${length} bytes`) };
    }
    return { admitted, error: diskError('DISK_WRITE_FAILED', path, 'ENOSPC') };
  }

  #failIfAsked(call: 'read' | 'write' | 'sync', path: string, position = 0): void {
    const reason = this.faults.fail?.(call, path, position);
    if (reason) throw diskError(call === 'read' ? 'DISK_READ_FAILED' : 'DISK_WRITE_FAILED', path, reason);
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    if (mode === 'create' && this.#inner.facts(path) === undefined) this.#change();
    this.#checkPower();
    const file = this.#inner.open(path, mode);
    return {
      path,
      read: (target, targetStart, length, position) => {
        this.#checkPower();
        this.#failIfAsked('read', path, position);
        return file.read(target, targetStart, length, position);
      },
      write: (source, sourceStart, length, position) => {
        this.#change();
        this.#failIfAsked('write', path, position);
        const { admitted, error } = this.#admit(length, path);
        file.write(source, sourceStart, admitted, position);
        if (error) throw error;
      },
      sync: () => {
        this.#checkPower();
        this.#failIfAsked('sync', path);
        if (this.faults.syncDelayMs)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.faults.syncDelayMs);
        file.sync();
      },
      syncAsync: done => this.#syncAsync(file, done),
      size: () => file.size(),
      truncate: size => {
        this.#change();
        this.#failIfAsked('write', path, size);
        file.truncate(size);
      },
      close: () => file.close(),
    };
  }

  #syncAsync(file: DiskFile, done: (error: Error | null) => void): void {
    const start = (): void => {
      try {
        this.#checkPower();
        this.#failIfAsked('sync', file.path);
      } catch (error) {
        queueMicrotask(() => done(error as Error));
        return;
      }
      file.syncAsync(done);
    };
    if (this.faults.holdSyncs) this.#heldSyncs.push(start);
    else if (this.faults.syncDelayMs) setTimeout(start, this.faults.syncDelayMs);
    else start();
  }

  facts(path: string): FileFacts | undefined {
    this.#checkPower();
    return this.#inner.facts(path);
  }

  list(folder: string): string[] {
    this.#checkPower();
    return this.#inner.list(folder);
  }

  makeFolder(folder: string): void {
    this.#change();
    this.#inner.makeFolder(folder);
  }

  readText(path: string): string | undefined {
    this.#checkPower();
    this.#failIfAsked('read', path);
    return this.#inner.readText(path);
  }

  writeText(path: string, text: string): void {
    this.#change();
    this.#failIfAsked('write', path);
    const { admitted, error } = this.#admit(Buffer.byteLength(text), path);
    this.#inner.writeText(path, Buffer.from(text).subarray(0, admitted).toString());
    if (error) throw error;
  }

  rename(from: string, to: string): void {
    this.#change();
    this.#inner.rename(from, to);
  }

  remove(path: string): void {
    this.#change();
    this.#inner.remove(path);
  }

  setModified(path: string, modifiedMs: number): void {
    this.#change();
    this.#inner.setModified(path, modifiedMs);
  }

  syncFolder(folder: string): void {
    this.#checkPower();
    this.#failIfAsked('sync', folder);
    this.#inner.syncFolder(folder);
  }

  space(folder: string): DiskSpace {
    this.#checkPower();
    return this.#inner.space(folder);
  }
}
