/**
 * A small RocketMQ client over one socket, for rigs that judge a broker: it shares no code with `client/` or
 * `protocol/`. JSON headers only. Source: spec remoting 1, 5, 6.
 */
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { formatProperties } from './raw-record.js';

export interface Answer {
  readonly code: number;
  readonly remark: string;
  readonly ext: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface OutgoingMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly body: Uint8Array;
  /** UNIQ_KEY and WAIT are added when missing. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface SendAnswer {
  readonly code: number;
  readonly remark: string;
  readonly queueId: number;
  readonly queueOffset: number;
  /** The offset message id the broker gave. */
  readonly msgId: string;
}

type OnAnswer = (answer: Answer | undefined) => void;

const connectLimitMs = 5_000;
const requestLimitMs = 15_000;

/** One connection. Requests may be pipelined; every callback is called exactly once. */
export class RawClient {
  readonly address: string;
  readonly #socket: net.Socket;
  readonly #waiting = new Map<number, OnAnswer>();
  readonly #ended: (() => void)[] = [];
  #opaque = 0;
  #received: Buffer[] = [];
  #receivedSize = 0;
  #open = true;
  /** Gets what the broker asks of its client, such as "the members have changed". */
  onRequest: (request: Answer) => void = () => {};

  /** Errors: Error when nobody listens there. */
  static connect(address: string, limitMs = connectLimitMs): Promise<RawClient> {
    const [host, port] = splitAddress(address);
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port, noDelay: true });
      socket.setTimeout(limitMs, () => socket.destroy(new Error(`no connection to ${address} in ${limitMs} ms`)));
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.setTimeout(0);
        socket.removeListener('error', reject);
        resolve(new RawClient(address, socket));
      });
    });
  }

  private constructor(address: string, socket: net.Socket) {
    this.address = address;
    this.#socket = socket;
    socket.on('data', chunk => this.#onData(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#onClose());
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  /** Calls back once when the connection has ended, at once when it already has. */
  onEnd(ended: () => void): void {
    if (this.#open) this.#ended.push(ended);
    else ended();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** `onAnswer` gets undefined when the connection ends before the answer comes. */
  requestPipelined(code: number, ext: Readonly<Record<string, string>>, body: Uint8Array, onAnswer: OnAnswer): void {
    if (!this.#open) {
      queueMicrotask(() => onAnswer(undefined));
      return;
    }
    const opaque = this.#opaque++;
    this.#waiting.set(opaque, onAnswer);
    this.#write(code, ext, body, opaque, 0);
  }

  /** A request that nobody answers. */
  sendOneway(code: number, ext: Readonly<Record<string, string>>, body: Uint8Array = new Uint8Array(0)): void {
    if (this.#open) this.#write(code, ext, body, this.#opaque++, 2);
  }

  #write(code: number, ext: Readonly<Record<string, string>>, body: Uint8Array, opaque: number, flag: number): void {
    const command = { code, extFields: ext, flag, language: 'JAVA', opaque, version: 401 };
    const header = Buffer.from(JSON.stringify(command));
    const frame = Buffer.allocUnsafe(8 + header.length + body.length);
    frame.writeInt32BE(4 + header.length + body.length, 0);
    frame.writeInt32BE(header.length, 4); // type 0 (JSON) in the highest byte
    header.copy(frame, 8);
    frame.set(body, 8 + header.length);
    this.#socket.write(frame);
  }

  /** Errors: Error when the connection ends or the answer takes too long. */
  request(
    code: number,
    ext: Readonly<Record<string, string>>,
    body: Uint8Array = new Uint8Array(0),
    limitMs = requestLimitMs,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to request ${code} in ${limitMs} ms`)), limitMs);
      this.requestPipelined(code, ext, body, answer => {
        clearTimeout(late);
        if (answer) resolve(answer);
        else reject(new Error(`the connection ended before the answer to request ${code}`));
      });
    });
  }

  /** SEND_MESSAGE_V2; the callback gets undefined when the connection ends first. */
  sendPipelined(message: OutgoingMessage, onAnswer: (answer: SendAnswer | undefined) => void): void {
    const properties = { UNIQ_KEY: newUniqueKey(), WAIT: 'true', ...message.properties };
    const ext = {
      a: 'raw_client',
      b: message.topic,
      c: 'TBW102',
      d: '4',
      e: String(message.queueId),
      f: '0',
      g: String(Date.now()),
      h: '0',
      i: formatProperties(Object.entries(properties)),
      j: '0',
      k: 'false',
      m: 'false',
    };
    this.requestPipelined(310, ext, message.body, answer => onAnswer(answer && sendAnswer(answer)));
  }

  /** Errors: as {@link request}; an answer with another code than 0 is no error. */
  send(message: OutgoingMessage): Promise<SendAnswer> {
    return new Promise((resolve, reject) => {
      this.sendPipelined(message, answer => {
        if (answer) resolve(answer);
        else reject(new Error('the connection ended before the send was answered'));
      });
    });
  }

  #onData(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedSize += chunk.length;
    if (this.#receivedSize < this.#wanted()) return;
    let left = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    while (left.length >= 4 && left.length >= 4 + left.readInt32BE(0)) {
      const size = 4 + left.readInt32BE(0);
      this.#onFrame(left.subarray(0, size));
      left = left.subarray(size);
    }
    this.#received = left.length > 0 ? [left] : [];
    this.#receivedSize = left.length;
  }

  /** How many bytes make the first frame whole; a large answer is then joined once and not once a chunk. */
  #wanted(): number {
    const first = this.#received[0] as Buffer;
    return first.length >= 4 ? 4 + first.readInt32BE(0) : 4;
  }

  #onFrame(frame: Buffer): void {
    const headerSize = frame.readInt32BE(4) & 0xffffff;
    const header = JSON.parse(frame.toString('utf8', 8, 8 + headerSize)) as Record<string, unknown>;
    const answer = {
      code: Number(header.code),
      remark: String(header.remark ?? ''),
      ext: (header.extFields ?? {}) as Record<string, string>,
      body: frame.subarray(8 + headerSize),
    };
    if ((Number(header.flag) & 1) === 0) return this.onRequest(answer);
    const onAnswer = this.#waiting.get(Number(header.opaque));
    if (!onAnswer) throw new Error(`an answer nobody waits for: opaque ${String(header.opaque)}`);
    this.#waiting.delete(Number(header.opaque));
    onAnswer(answer);
  }

  #onClose(): void {
    this.#open = false;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const onAnswer of waiting) onAnswer(undefined);
    for (const ended of this.#ended.splice(0)) ended();
  }
}

function sendAnswer(answer: Answer): SendAnswer {
  return {
    code: answer.code,
    remark: answer.remark,
    queueId: Number(answer.ext.queueId ?? -1),
    queueOffset: Number(answer.ext.queueOffset ?? -1),
    msgId: answer.ext.msgId ?? '',
  };
}

function splitAddress(address: string): [string, number] {
  const cut = address.lastIndexOf(':');
  return [address.slice(0, cut), Number(address.slice(cut + 1))];
}

let uniqueKeys = 0;
const uniqueKeyPrefix = randomBytes(10).toString('hex').toUpperCase();

/** 32 hexadecimal digits, as long as a Java client's. */
export function newUniqueKey(): string {
  return uniqueKeyPrefix + (uniqueKeys++).toString(16).toUpperCase().padStart(12, '0');
}

/** The commit-log position inside an offset message id. Source: spec remoting 5.6. */
export function physicalOffsetOf(msgId: string): number {
  return Number(BigInt(`0x${msgId.slice(-16)}`));
}
