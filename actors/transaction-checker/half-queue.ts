/**
 * The check of one queue of half messages: how far it is, and what is to become of the next one. Decides and does
 * nothing. Source: spec transaction 6, 8; TransactionalMessageServiceImpl.check.
 */
import {
  javaHashText,
  recordBodySize,
  recordBodyStart,
  recordBornTimestamp,
  recordPropertiesSize,
  recordPropertiesStart,
} from '../../protocol/message-record.js';
import { PropertyRanges } from '../../protocol/property-ranges.js';
import { HalfMessage, wholeNumber } from './half-message.js';
import type { TransactionCheckerSettings, TransactionProgress } from './mailbox.js';
import { OpLedger } from './op-ledger.js';
import type { QueueReader } from './queue-reader.js';

/** What is to become of the half message that was looked at. */
export type Verdict =
  /** Committed or rolled back: it is passed. */
  | 'decided'
  /** Its record cannot be had (any more), or an older copy of it was dealt with in this run: it is passed. */
  | 'needless'
  /** Nothing is known of it yet, but more op records were read: look again. */
  | 'again'
  /** It, and what is behind it, is for a later run. */
  | 'stop'
  /** Asked too often, or too old. */
  | 'discard'
  /** Its producer wants no question yet: to the end of the queue. */
  | 'putBack'
  /** Its producer is to be asked. */
  | 'ask';

/** Op records read before a half message is looked at again. */
const OPS_MAX = 32;
const OP_TAG_CODE = javaHashText('d');
const HOUR_MS = 3_600_000;
const decoder = new TextDecoder();

export class HalfQueue {
  readonly queueId: number;
  readonly half: QueueReader;
  readonly op: QueueReader;
  /** The half message that comes next; all before it are passed. Units: entries. */
  offset = 0;
  readonly ledger = new OpLedger();
  /** What {@link look} found, when it is to be asked, put back or discarded. */
  message: HalfMessage | undefined;
  #startMs = 0;
  /** One behind the last copy that was stored, which the queue may not show yet. Units: entries. */
  #copyEnd = 0;
  /** Half messages from here on came after the run had begun. Units: entries. */
  #end = 0;
  #missed = false;
  #lastOpBornMs = 0;
  /** Transactions asked about or put back in this run. */
  readonly #settled = new Set<string>();
  readonly #properties = new PropertyRanges();
  /** Op records before this one tell of a time when progress may have been further. Units: entries. */
  #copiedUntil = 0;
  /** Nothing was read in this run yet. */
  #first = false;

  constructor(queueId: number, half: QueueReader, op: QueueReader) {
    this.queueId = queueId;
    this.half = half;
    this.op = op;
  }

  /** Goes on from there with whatever comes. */
  move(progress: TransactionProgress): void {
    this.offset = bounded(progress.half, this.half);
    this.ledger.reset(bounded(progress.op, this.op));
    this.#copiedUntil = this.op.max;
  }

  /** A run begins. */
  begin(nowMs: number): void {
    this.half.clear();
    this.op.clear();
    this.#startMs = nowMs;
    this.#settled.clear();
    this.#end = this.half.max;
    this.#missed = false;
    this.#first = true;
    this.#lastOpBornMs = 0;
  }

  get startMs(): number {
    return this.#startMs;
  }

  /** The half message was looked at, and is dealt with. */
  pass(): void {
    this.offset++;
  }

  /** The same, and there is a copy of it now at the end of the queue. */
  passCopied({ transaction }: HalfMessage, copyOffset: number): void {
    this.offset++;
    this.#copyEnd = copyOffset + 1;
    if (transaction !== undefined) this.#settled.add(transaction);
  }

  /** Decides about the half message at {@link offset}. Errors: RingError DISK_READ_FAILED. */
  look(nowMs: number, settings: TransactionCheckerSettings): Verdict {
    if (this.#first && this.#readOps(settings)) return 'again';
    if (this.ledger.take(this.offset)) return 'decided';
    const start = this.half.find(this.offset);
    if (start < 0) return this.#onMissing();
    const message = new HalfMessage(this.half.bytes, start);
    if (this.#endedByOtherCopy(message)) return 'decided';
    const ageMs = nowMs - message.bornTimestamp;
    const immunityMs = message.immunityMs(settings.transactionTimeOut);
    const discard = isSpent(message, ageMs, settings);
    // A copy that was asked about for the last time waits for the answer too.
    if (this.offset >= this.#end || message.storeTimestamp >= this.#startMs) return 'stop';
    // A run that was cut short by a crash left two copies of some; one question is enough.
    if (message.transaction !== undefined && this.#settled.has(message.transaction)) return 'needless';
    const isYoung = immunityMs === undefined && ageMs >= 0 && ageMs < settings.transactionTimeOut;
    if (isYoung && !discard) return 'stop';
    if (this.#readOps(settings)) return 'again';
    this.message = message;
    if (discard) return 'discard';
    return immunityMs !== undefined && ageMs < immunityMs ? 'putBack' : 'ask';
  }

  /** The record cannot be had. A second one in a run ends it. */
  #onMissing(): Verdict {
    if (this.#missed || this.offset >= this.half.max) return 'stop';
    this.#missed = true;
    this.offset = Math.max(this.offset, this.half.min - 1);
    this.ledger.skipped(this.offset + 1);
    return 'needless';
  }

  /**
   * A transaction may end by a copy that was passed since, when the producer did not wait for the question. RocketMQ
   * asks again then, and may commit twice.
   */
  #endedByOtherCopy({ preparedQueueOffset, transaction }: HalfMessage): boolean {
    if (preparedQueueOffset !== undefined && this.ledger.hasEnded(placeName(preparedQueueOffset))) return true;
    return transaction !== undefined && this.ledger.hasEnded(transaction);
  }

  /** Reads more op records, unless there are none or they tell of later times only. Returns whether it read any. */
  #readOps({ transactionTimeOut }: TransactionCheckerSettings): boolean {
    this.#first = false;
    const { ledger, op } = this;
    if (ledger.isFull || this.#lastOpBornMs - this.#startMs > transactionTimeOut) return false;
    const until = Math.min(op.max, ledger.next + OPS_MAX);
    if (ledger.next >= until) return false;
    while (ledger.next < until) this.#readOp();
    return true;
  }

  #readOp(): void {
    const { ledger, op } = this;
    const start = op.find(ledger.next);
    if (start < 0) return ledger.skip();
    const { bytes } = op;
    this.#lastOpBornMs = recordBornTimestamp(bytes, start);
    const properties = recordPropertiesStart(bytes, start);
    const propertiesEnd = properties + recordPropertiesSize(bytes, properties);
    this.#properties.find(bytes, properties, propertiesEnd);
    if (this.#properties.tagsCode(bytes) !== OP_TAG_CODE) return ledger.skip();
    const body = recordBodyStart(bytes, start);
    const named = decoder.decode(bytes.slice(body, body + recordBodySize(bytes, start))).split(',');
    const offsets = named.map(text => wholeNumber(text) ?? -1);
    const until = Math.max(this.half.max, this.#copyEnd);
    ledger.add(offsets, this.offset, until, this.#transactionOf, ledger.next < this.#copiedUntil);
  }

  /** Names the transaction of a half message: by its key, or by its place. */
  readonly #transactionOf = (halfOffset: number): string | undefined => {
    if (halfOffset < 0) return undefined;
    const start = this.half.find(halfOffset);
    const key = start < 0 ? undefined : new HalfMessage(this.half.bytes, start).transaction;
    return key ?? placeName(halfOffset);
  };

  close(): void {
    this.half.close();
    this.op.close();
  }
}

function placeName(queueOffset: number): string {
  return `@${queueOffset}`;
}

/** A committed offset within what is there; where none is committed, the first. */
function bounded(offset: number, { min, max }: QueueReader): number {
  return offset < min ? min : Math.min(offset, max);
}

function isSpent(message: HalfMessage, ageMs: number, settings: TransactionCheckerSettings): boolean {
  const { checkTimes } = message;
  if (checkTimes !== undefined && checkTimes >= settings.transactionCheckMax) return true;
  return ageMs > settings.fileReservedTime * HOUR_MS;
}
