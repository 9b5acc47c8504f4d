/**
 * Room card: telemetry
 *
 * Purpose   joins the traces of clients: a span for each message that is stored or handed out, whose sender gave it a
 *           trace context that is recorded. Only where key otlpEndpoint is set.
 * Thread    one with an event loop: the SDK exports over HTTP.
 * Reads     notes from remoting and pull lanes; the log; position minimum.
 * Writes    spans to an OTLP collector, in batches.
 * When full it loses spans and counts them, as those who note do; nobody waits for it.
 * Fails     what goes wrong with a span or an export is said once, and counted; messages do not notice. A crash starts
 *           it anew, as a lane.
 */
import type { Actor } from '../../runtime/actor/contract.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import { join64 } from '../remoting/mailbox.js';
import { type Happening, spanOf } from './behaviour.js';
import type { ExportListener, SpanSink } from './effects.js';
import { Note, NoteType } from './mailbox.js';
import { TracedRecordReader } from './traced-record.js';

export interface TelemetryOptions {
  readonly inboxes: readonly Ring[];
  readonly positions: Positions;
  readonly log: CommitLogReader;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Loads the SDK, which takes a moment: notes wait in their rings. */
  openSink(listener: ExportListener): Promise<SpanSink>;
}

/** Notes of one inbox in one duty cycle. */
const BATCH_MAX = 64;
const decoder = new TextDecoder();

export class Telemetry implements Actor, ExportListener {
  readonly name = 'telemetry';
  readonly #options: TelemetryOptions;
  readonly #records: TracedRecordReader;
  readonly #opened: Promise<void>;
  #sink: SpanSink | undefined;
  #minimum = 0;
  #isFailing = false;
  #saidFault = false;
  #closed = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#records = new TracedRecordReader(options.log);
    this.#opened = this.#open();
  }

  /** Set by the node: schedules this actor's duty cycle. */
  onWork: () => void = () => {};

  doWork(): number {
    this.#followMinimum();
    if (this.#sink === undefined) return 0;
    let work = 0;
    for (const inbox of this.#options.inboxes) work += this.#drain(inbox, this.#sink);
    return work;
  }

  deadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  close(): void {
    this.#closed = true;
    this.#options.log.close();
  }

  /** Sends what was noted so far and takes no more; waits so long for the collector. */
  async finish(patienceMs: number): Promise<void> {
    await this.#opened;
    while (!this.#closed && this.doWork() > 0);
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.close(patienceMs);
  }

  async #open(): Promise<void> {
    try {
      this.#sink = await this.#options.openSink(this);
    } catch (error) {
      this.#options.logger.error({ err: error }, `no spans are made: ${messageOf(error)}`);
      return;
    }
    this.onWork();
  }

  #followMinimum(): void {
    const minimum = this.#options.positions.read('minimum');
    if (minimum === this.#minimum) return;
    this.#minimum = minimum;
    this.#options.log.closeBefore(minimum);
  }

  #drain(inbox: Ring, sink: SpanSink): number {
    let work = 0;
    for (let at = inbox.poll(); at >= 0 && work < BATCH_MAX; at = inbox.poll(), work++) {
      this.#tryNote(inbox, at, sink);
      inbox.release();
    }
    if (work > 0) inbox.publishReleased();
    return work;
  }

  #tryNote(inbox: Ring, at: number, sink: SpanSink): void {
    try {
      this.#onNote(inbox, at, sink);
    } catch (error) {
      this.#options.counters.add(Counter.spansDropped);
      if (this.#saidFault) return;
      this.#saidFault = true;
      this.#options.logger.warn({ err: error }, 'a span could not be made; further ones are only counted');
    }
  }

  #onNote({ words, bytes, type, length }: Ring, at: number, sink: SpanSink): void {
    const word = at >> 2;
    const start = join64(words[word + Note.physicalOffsetLow]!, words[word + Note.physicalOffsetHigh]!);
    const end = start + words[word + Note.size]!;
    const times = {
      startUs: join64(words[word + Note.startLow]!, words[word + Note.startHigh]!),
      endUs: join64(words[word + Note.endLow]!, words[word + Note.endHigh]!),
    };
    const group = (): string => decoder.decode(bytes.slice(at + Note.groupBytes, at + length));
    const happening: Happening =
      type === NoteType.STORED
        ? { ...times, operation: 'store', code: words[word + Note.code]! }
        : { ...times, operation: 'deliver', group: group() };
    for (let position = start; position < end; ) {
      const record = this.#records.read(position);
      if (record === undefined) return this.#options.counters.add(Counter.spansDropped);
      position += record.totalSize;
      const draft = spanOf(record, happening);
      if (draft !== undefined && !sink.record(draft)) this.#options.counters.add(Counter.spansDropped);
    }
  }

  onExported(spans: number): void {
    this.#options.counters.add(Counter.spansExported, spans);
    if (this.#isFailing) this.#options.logger.info({}, 'spans are exported again');
    this.#isFailing = false;
  }

  onFailed(spans: number, error: unknown): void {
    const { counters, logger } = this.#options;
    counters.add(Counter.spansDropped, spans);
    if (this.#isFailing) return;
    this.#isFailing = true;
    const what = 'spans cannot be exported and are lost until it works again; messages are not affected';
    logger.warn({ spans }, `${what} (key otlpEndpoint): ${messageOf(error)}`);
  }
}
