/**
 * The main thread's end of the threads' logs: writes out what they left in their rings whenever their common bell
 * rings. Sleeps on the bell without a timer, so an idle node uses no CPU, and keeps no process alive.
 */
import { assert } from '../base/assert.js';
import { ByteRing } from '../memory/byte-ring.js';
import { Doorbell } from '../memory/doorbell.js';
import { formatLine } from './json-line.js';
import { allocateThreadLog, type ThreadLogMemory } from './thread-logger.js';

/** Lines written in one turn of the event loop before others get theirs. */
const LINES_PER_TURN = 512;

interface ThreadLog {
  readonly name: string;
  readonly memory: ThreadLogMemory;
  readonly ring: ByteRing;
  readonly dropped: Int32Array;
}

export class ThreadLogDrain {
  readonly #bell = new Doorbell();
  readonly #threads = new Map<SharedArrayBuffer, ThreadLog>();
  readonly #write: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #armed = false;
  #closed = false;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Memory for the lines of one thread, drained from now on. Units: `capacityBytes` bytes. */
  attach(name: string, capacityBytes: number): ThreadLogMemory {
    assert(!this.#closed, 'the log is open');
    const memory = allocateThreadLog(this.#bell, capacityBytes);
    const dropped = new Int32Array(memory.dropped);
    this.#threads.set(memory.ring, { name, memory, ring: new ByteRing(memory.ring), dropped });
    if (!this.#armed) this.#arm();
    return memory;
  }

  /** The thread has ended: its last lines are written and its memory let go. */
  detach(memory: ThreadLogMemory): void {
    const thread = this.#threads.get(memory.ring);
    if (thread === undefined) return;
    this.#drainThread(thread, Number.POSITIVE_INFINITY);
    this.#threads.delete(memory.ring);
  }

  /** Writes out all lines that wait now; for the end of the process and to order lines after a crash. */
  drain(): void {
    for (const thread of this.#threads.values()) this.#drainThread(thread, Number.POSITIVE_INFINITY);
  }

  close(): void {
    if (this.#closed) return;
    this.drain();
    this.#closed = true;
    this.#threads.clear();
    this.#bell.ring();
  }

  #arm(): void {
    this.#armed = true;
    const seen = this.#bell.read();
    let room = LINES_PER_TURN;
    for (const thread of this.#threads.values()) room -= this.#drainThread(thread, room);
    if (this.#closed) return;
    const rung = room > 0 ? this.#bell.waitAsync(seen) : undefined;
    if (rung === undefined) setImmediate(() => this.#armUnlessClosed());
    else void rung.then(() => this.#armUnlessClosed());
  }

  #armUnlessClosed(): void {
    if (!this.#closed) this.#arm();
  }

  #drainThread(thread: ThreadLog, linesMax: number): number {
    let lines = 0;
    while (lines < linesMax) {
      const line = thread.ring.poll();
      if (line === undefined) break;
      this.#write(`${this.#decoder.decode(line)}\n`);
      lines++;
    }
    const linesDropped = Atomics.exchange(thread.dropped, 0, 0);
    if (linesDropped > 0) {
      const message = 'log lines dropped: the thread logged faster than they could be written';
      this.#write(`${formatLine('warn', Date.now(), thread.name, { linesDropped }, message)}\n`);
    }
    return lines;
  }
}
