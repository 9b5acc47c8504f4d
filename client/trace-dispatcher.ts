/**
 * Gathers trace records and sends them as messages of the trace topic, many in one. The trace never holds up what it
 * is about: what cannot be sent is reported and dropped. Source: AsyncTraceDispatcher.
 */
import type { ClientInstance } from './client-instance.js';
import type { ErrorReporter } from './error-reporter.js';
import { prepareMessage } from './message.js';
import { Sender } from './sender.js';
import type { TraceRecord } from './trace-data.js';

export const TRACE_TOPIC = 'RMQ_SYS_TRACE_TOPIC';
/** Source: AsyncTraceDispatcher. Units: bytes, ms. */
const TRACE_MESSAGE_SIZE_MAX = 128_000;
const TRACE_MESSAGE_FULL_SIZE = TRACE_MESSAGE_SIZE_MAX - 10_000;
const TRACE_WAIT_MS = 500;
const TRACE_SEND_TIMEOUT_MS = 5000;
/** A message of the trace has at most so many characters of keys, well below the limit of properties. */
const TRACE_KEYS_SIZE_MAX = 16_000;
/** Messages of the trace on their way at a time; more records are dropped then. */
const TRACE_SENDS_MAX = 32;

export type TraceRole = 'PRODUCE' | 'CONSUME';
let dispatchers = 0;

export class TraceDispatcher {
  readonly #sender: Sender;
  readonly #topic: string;
  readonly #report: ErrorReporter;
  readonly #sending = new Set<Promise<unknown>>();
  #data: string[] = [];
  #size = 0;
  #keys = new Set<string>();
  #keysSize = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(instance: ClientInstance, group: string, role: TraceRole, topic: string, report: ErrorReporter) {
    this.#sender = new Sender(instance, {
      producerGroup: `_INNER_TRACE_PRODUCER-${group}-${role}-${++dispatchers}`,
      sendMsgTimeoutMs: TRACE_SEND_TIMEOUT_MS,
      attemptsMax: 3,
      defaultTopicQueueNums: 4,
    });
    this.#topic = topic;
    this.#report = report;
  }

  /** Messages of the trace itself are not traced. */
  isAbout(topic: string): boolean {
    return topic !== this.#topic;
  }

  append(record: TraceRecord): void {
    this.#data.push(record.data);
    this.#size += Buffer.byteLength(record.data);
    for (const key of record.keys) {
      if (this.#keys.has(key)) continue;
      this.#keys.add(key);
      this.#keysSize += key.length + 1;
    }
    if (this.#size >= TRACE_MESSAGE_FULL_SIZE || this.#keysSize >= TRACE_KEYS_SIZE_MAX) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), TRACE_WAIT_MS).unref();
  }

  /** Sends what was gathered and waits until it has arrived or failed. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#sending);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#data.length === 0) return;
    const body = this.#data.join('');
    const keys = [...this.#keys];
    this.#data = [];
    this.#size = 0;
    this.#keys = new Set();
    this.#keysSize = 0;
    if (this.#sending.size >= TRACE_SENDS_MAX) {
      this.#report(new Error(`${TRACE_SENDS_MAX} messages of the trace are on their way already`), 'dropping trace');
      return;
    }
    const sending = this.#deliver(body, keys).catch(error => this.#report(error, 'sending the message trace'));
    this.#sending.add(sending);
    void sending.then(() => this.#sending.delete(sending));
  }

  async #deliver(body: string, keys: readonly string[]): Promise<void> {
    const limits = { maxMessageSize: 4 * TRACE_MESSAGE_SIZE_MAX, compressMsgBodyOverHowmuch: 4096 };
    await this.#sender.send(prepareMessage({ topic: this.#topic, body, keys }, limits));
  }
}
