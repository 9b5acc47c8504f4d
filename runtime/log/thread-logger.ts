/**
 * Logging on a worker thread: lines go into a {@link ByteRing} of shared memory and the main thread writes them out. So
 * a thread that sleeps in Atomics.wait, or dies a moment later, has already handed its lines over; and logging never
 * blocks.
 */

import { ByteRing } from '../memory/byte-ring.js';
import { Doorbell } from '../memory/doorbell.js';
import { type Logger, type LogLevel, logLevels } from './contract.js';
import { formatLine, type LineLevel, toFields } from './json-line.js';

/** What a thread needs to log; made by the root logger, handed over in `workerData`. */
export interface ThreadLogMemory {
  /** A byte ring: the thread produces, the main thread consumes. */
  readonly ring: SharedArrayBuffer;
  /** Lines lost because the ring was full. Shape: one Int32. */
  readonly dropped: SharedArrayBuffer;
  /** The bell of the main thread's log writer, one for all threads. */
  readonly bell: SharedArrayBuffer;
}

/** Memory for one thread's lines. Units: `capacityBytes` bytes of lines waiting to be written. */
export const allocateThreadLog = (bell: Doorbell, capacityBytes: number): ThreadLogMemory => ({
  ring: ByteRing.allocate(capacityBytes),
  dropped: new SharedArrayBuffer(4),
  bell: bell.memory,
});

const encoder = new TextEncoder();

/** A message that is cut leaves this much for the other parts of its line. Units: bytes. */
const CUT_RESERVE_BYTES = 256;

class ThreadLogger implements Logger {
  readonly #sink: ThreadLogSink;
  readonly #threshold: number;
  readonly #name: string;
  readonly #fields: object;

  constructor(sink: ThreadLogSink, threshold: number, name: string, fields: object) {
    this.#sink = sink;
    this.#threshold = threshold;
    this.#name = name;
    this.#fields = fields;
  }

  trace(fields: object, message: string): void {
    this.#write('trace', fields, message);
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  child(fields: object): Logger {
    return new ThreadLogger(this.#sink, this.#threshold, this.#name, { ...this.#fields, ...fields });
  }

  #write(level: LineLevel, fields: object, message: string): void {
    if (logLevels[level] < this.#threshold) return;
    const nowMs = Date.now();
    const allFields = { ...this.#fields, ...toFields(fields) };
    const line = encoder.encode(formatLine(level, nowMs, this.#name, allFields, message));
    const lineMax = this.#sink.lineMax;
    if (line.length <= lineMax) {
      this.#sink.write(line);
      return;
    }
    // Larger than the whole ring: the beginning of the message says more than nothing. A character takes 6 bytes at
    // most.
    const kept = message.slice(0, Math.max(0, Math.floor((lineMax - CUT_RESERVE_BYTES) / 6)));
    const cut = encoder.encode(formatLine(level, nowMs, this.#name, { lineBytesCut: line.length }, kept));
    if (cut.length <= lineMax) this.#sink.write(cut);
    else this.#sink.drop();
  }
}

class ThreadLogSink {
  readonly lineMax: number;
  readonly #ring: ByteRing;
  readonly #dropped: Int32Array;
  readonly #bell: Doorbell;

  constructor(memory: ThreadLogMemory) {
    this.#ring = new ByteRing(memory.ring);
    this.lineMax = this.#ring.payloadMax;
    this.#dropped = new Int32Array(memory.dropped);
    this.#bell = new Doorbell(memory.bell);
  }

  write(line: Uint8Array): void {
    if (this.#ring.offer(line)) this.#bell.ring();
    else this.drop();
  }

  /** The count rings too: the main thread reports it with its next look. */
  drop(): void {
    Atomics.add(this.#dropped, 0, 1);
    this.#bell.ring();
  }
}

/**
 * The logger of a worker thread.
 * Errors: none; lines that find the ring full are counted and the main thread writes how many there were.
 */
export const createThreadLogger = (memory: ThreadLogMemory, level: LogLevel, name: string): Logger =>
  new ThreadLogger(new ThreadLogSink(memory), logLevels[level], name, {});
