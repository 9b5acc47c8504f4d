/**
 * What a slave does with the bytes of its master before they are written: puts them together to whole records, and
 * looks at each: its lengths, its place, the CRC of its body. Hot; no socket, no ring, no file.
 *
 * Only whole records go on, so that a slave's log ends with a record at any moment, killed or not.
 * Source: spec ha 2.3, storage 3.8.
 */
import { getI32 } from '../../protocol/bytes.js';
import { BLANK_SIZE_MIN, recordPhysicalOffset } from '../../protocol/message-record.js';
import { KiB } from '../../runtime/base/units.js';
import { checkRecord, RecordCheck } from '../../storage/record-check.js';

/** Records that go to the writer together take about so much. Units: bytes. */
export const RUN_SIZE = 256 * KiB;

export interface ReplicaIntakeOptions {
  /** mappedFileSizeCommitLog. Units: bytes. */
  readonly segmentSize: number;
  /** The largest run the ring to the writer takes: no record, and no end of a file, may be larger. Units: bytes. */
  readonly runSizeMax: number;
}

export class ReplicaIntake {
  /** Position of the first byte of {@link run}. */
  position = 0;
  /** What is wrong with the bytes behind the records that were good; '' when nothing is. */
  fault = '';
  /** Where the last record that went on begins; -1 before the first. */
  lastRecordOffset = -1;
  readonly #options: ReplicaIntakeOptions;
  #bytes: Uint8Array = new Uint8Array(2 * RUN_SIZE);
  #start = 0;
  /** Records in front of this are checked. */
  #checked = 0;
  #end = 0;
  /** Where the record that was checked last begins, and the last one of the run. */
  #seenOffset = -1;
  #runOffset = -1;

  constructor(options: ReplicaIntakeOptions) {
    this.#options = options;
  }

  /** Forgets what has not gone on; the next byte stands at `position`. */
  begin(position: number): void {
    this.position = position;
    this.fault = '';
    this.#seenOffset = -1;
    this.#runOffset = -1;
    this.#start = 0;
    this.#checked = 0;
    this.#end = 0;
    if (this.#bytes.length > 8 * RUN_SIZE) this.#bytes = new Uint8Array(2 * RUN_SIZE);
  }

  /** Position behind the last byte that came. */
  get receivedPosition(): number {
    return this.position + this.#end - this.#start;
  }

  /** Bytes that came and did not go on. */
  get heldBytes(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (this.#end + size > this.#bytes.length) this.#makeRoom(size);
    this.#bytes.set(bytes.subarray(from, to), this.#end);
    this.#end += size;
  }

  #makeRoom(size: number): void {
    const held = this.#end - this.#start;
    if (held + size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(held + size, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
    } else {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    }
    this.#checked -= this.#start;
    this.#end = held;
    this.#start = 0;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where the run begins in {@link bytes}. */
  get start(): number {
    return this.#start;
  }

  /**
   * Size of the next run of whole records; 0 when more bytes must come first, or when there is a {@link fault}. A run
   * ends with its file.
   */
  run(): number {
    const { segmentSize, runSizeMax } = this.#options;
    const limit = Math.min(RUN_SIZE, runSizeMax);
    for (;;) {
      const done = this.#checked - this.#start;
      if (done > 0 && (this.position + done) % segmentSize === 0) return done;
      if (done >= limit || this.fault !== '') return done;
      const size = this.#check(this.position + done);
      if (size === 0) return done;
      if (done > 0 && done + size > runSizeMax) return done;
      this.#checked += size;
      this.#runOffset = this.#seenOffset;
    }
  }

  /** The run went on. */
  taken(size: number): void {
    if (this.#runOffset >= 0) this.lastRecordOffset = this.#runOffset;
    this.#start += size;
    this.position += size;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#checked = 0;
      this.#end = 0;
    }
  }

  /** Size of the record or BLANK at `position`, when it is whole and good; else 0, and maybe a fault. */
  #check(position: number): number {
    const { segmentSize, runSizeMax } = this.#options;
    const at = this.#checked;
    const available = this.#end - at;
    const room = segmentSize - (position % segmentSize);
    const size = checkRecord(this.#bytes, at, available, true);
    if (size === RecordCheck.INVALID) return this.#refuse(damaged(position));
    if (size === RecordCheck.BLANK) {
      const blank = getI32(this.#bytes, at);
      if (blank !== room) return this.#refuse(otherFileSize(position, segmentSize, `ends ${blank} bytes further`));
      if (blank > runSizeMax) return this.#refuse(tooLarge(position, blank, runSizeMax));
      return available < blank ? 0 : blank;
    }
    if (size === RecordCheck.TRUNCATED) return this.#judgePart(position, at, available, room);
    if (size + BLANK_SIZE_MIN > room) return this.#refuse(otherFileSize(position, segmentSize, 'goes on'));
    if (recordPhysicalOffset(this.#bytes, at) !== position) return this.#refuse(damaged(position));
    if (size > runSizeMax) return this.#refuse(tooLarge(position, size, runSizeMax));
    this.#seenOffset = position;
    return size;
  }

  /** The size of a record that is not whole yet must be one that can become whole here. */
  #judgePart(position: number, at: number, available: number, room: number): 0 {
    if (available < BLANK_SIZE_MIN) return 0;
    const size = getI32(this.#bytes, at);
    if (size + BLANK_SIZE_MIN > room) {
      return this.#refuse(otherFileSize(position, this.#options.segmentSize, 'goes on'));
    }
    const { runSizeMax } = this.#options;
    return size > runSizeMax ? this.#refuse(tooLarge(position, size, runSizeMax)) : 0;
  }

  #refuse(fault: string): 0 {
    this.fault = fault;
    return 0;
  }
}

function damaged(position: number): string {
  return (
    `what comes from the master at ${position} is no whole record of that place: it was damaged on its way or on the ` +
    "master's disk, or the two logs differ. If it stays like this, stop the slave and move its store away"
  );
}

function otherFileSize(position: number, segmentSize: number, where: string): string {
  return (
    `the master's file that holds ${position} ${where} where a file of this slave ends: mappedFileSizeCommitLog ` +
    `(${segmentSize} here) must be the same on both. Correct it, and move the slave's store away`
  );
}

function tooLarge(position: number, size: number, max: number): string {
  return (
    `the master's record at ${position} takes ${size} bytes, and this slave takes ${max}: set maxMessageSize to what ` +
    'the master has'
  );
}
