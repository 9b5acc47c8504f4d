/**
 * Frames of load connections: made once, with digits written over for each message. JSON headers.
 * Source: spec remoting 1, 5, 6.
 */
import { CommandFlag, MessageSysFlag, PullSysFlag, RequestCode } from '../../../protocol/codes.js';

/** Nine digits wherever they stand, so that a frame keeps its size. */
export const OPAQUE_BASE = 100_000_000;
const PREFIX_SIZE = 8;
const UNIQ_KEY_SIZE = 32;
const UNIQ_KEY_DIGITS = 12;
/** Hold the pull; the subscription is in the request. */
const PULL_FLAGS = PullSysFlag.SUSPEND | PullSysFlag.SUBSCRIPTION;

function frameOf(code: number, extFields: object, flag: number, opaque: number, body: Uint8Array): Buffer {
  const command = { code, extFields, flag, language: 'JAVA', opaque, serializeTypeCurrentRPC: 'JSON', version: 401 };
  const header = Buffer.from(JSON.stringify(command));
  const frame = Buffer.alloc(PREFIX_SIZE + header.length + body.length);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt32BE(header.length, 4);
  frame.set(header, PREFIX_SIZE);
  frame.set(body, PREFIX_SIZE + header.length);
  return frame;
}

let messagesMade = 0;

/** Sends to one queue. Every frame has its own unique id and birth, as messages of real producers do. */
export class SendFrames {
  readonly #template: Buffer;
  readonly #opaqueAt: number;
  readonly #bornAt: number;
  readonly #keyAt: number;
  readonly #bodyAt: number;

  /** `bodyBytes`: 8 or more. */
  constructor(topic: string, queueId: number, bodyBytes: number, isHalf = false) {
    const key = 'F'.repeat(UNIQ_KEY_SIZE);
    const half = isHalf ? '\u0002TRAN_MSG\u0001true\u0002PGROUP\u0001bench-producers' : '';
    const extFields = {
      a: 'bench-producers',
      b: topic,
      c: 'TBW102',
      d: '4',
      e: String(queueId),
      f: isHalf ? String(MessageSysFlag.TRANSACTION_PREPARED) : '0',
      g: '1000000000000',
      h: '0',
      i: `UNIQ_KEY\u0001${key}\u0002WAIT\u0001true${half}`,
      j: '0',
      k: 'false',
      m: 'false',
    };
    const body = Buffer.alloc(bodyBytes, 'x');
    this.#template = frameOf(RequestCode.SEND_MESSAGE_V2, extFields, 0, OPAQUE_BASE, body);
    this.#opaqueAt = this.#template.indexOf(`"opaque":${OPAQUE_BASE}`) + '"opaque":'.length;
    this.#bornAt = this.#template.indexOf('"g":"') + '"g":"'.length;
    this.#keyAt = this.#template.indexOf(key) + UNIQ_KEY_SIZE - UNIQ_KEY_DIGITS;
    this.#bodyAt = this.#template.length - bodyBytes;
  }

  /** The body begins with the time of sending, see {@link recordSentMs}. */
  next(opaque: number): Buffer {
    const frame = Buffer.from(this.#template);
    writeDigits(frame, this.#opaqueAt, 9, OPAQUE_BASE + opaque);
    writeDigits(frame, this.#bornAt, 13, Date.now());
    writeDigits(frame, this.#keyAt, UNIQ_KEY_DIGITS, ++messagesMade);
    frame.writeDoubleBE(performance.now(), this.#bodyAt);
    return frame;
  }
}

function writeDigits(frame: Buffer, at: number, width: number, value: number): void {
  let left = value;
  for (let index = at + width - 1; index >= at; index--) {
    frame[index] = 48 + (left % 10);
    left = Math.floor(left / 10);
  }
}

/** A pull that the broker may hold. `opaque`: below a hundred million. */
export function pullFrame(group: string, topic: string, queueId: number, offset: number, opaque: number): Buffer {
  const extFields = {
    consumerGroup: group,
    topic,
    queueId: String(queueId),
    queueOffset: String(offset),
    maxMsgNums: '32',
    sysFlag: String(PULL_FLAGS),
    commitOffset: '0',
    suspendTimeoutMillis: '60000',
    subscription: '*',
    subVersion: '0',
    expressionType: 'TAG',
  };
  return frameOf(RequestCode.PULL_MESSAGE, extFields, 0, OPAQUE_BASE + opaque, new Uint8Array(0));
}

/** Commits the half message a send was answered for; nobody answers it, as with the Java client. */
export function commitFrame(queueOffset: number, physicalOffset: number, msgId: string): Buffer {
  const extFields = {
    producerGroup: 'bench-producers',
    tranStateTableOffset: String(queueOffset),
    commitLogOffset: String(physicalOffset),
    commitOrRollback: String(MessageSysFlag.TRANSACTION_COMMIT),
    fromTransactionCheck: 'false',
    msgId,
    transactionId: msgId,
  };
  return frameOf(RequestCode.END_TRANSACTION, extFields, CommandFlag.ONEWAY, OPAQUE_BASE, new Uint8Array(0));
}

/** What an answer says, as far as load has to know. */
export class AnswerView {
  #header = '';
  #bodyAt = 0;

  read(frame: Buffer): void {
    this.#bodyAt = PREFIX_SIZE + (frame.readInt32BE(4) & 0xffffff);
    this.#header = frame.toString('latin1', PREFIX_SIZE, this.#bodyAt);
  }

  get code(): number {
    return this.#numberAfter('"code":');
  }

  /** As it was given to the frame. */
  get opaque(): number {
    return this.#numberAfter('"opaque":') - OPAQUE_BASE;
  }

  /** Of the header's fields. */
  integer(name: string): number {
    return this.#numberAfter(`"${name}":"`);
  }

  text(name: string): string {
    const from = this.#header.indexOf(`"${name}":"`) + name.length + 4;
    return this.#header.slice(from, this.#header.indexOf('"', from));
  }

  /** Where the records of a pull begin. */
  get bodyAt(): number {
    return this.#bodyAt;
  }

  #numberAfter(mark: string): number {
    const at = this.#header.indexOf(mark);
    return at < 0 ? Number.NaN : Number.parseInt(this.#header.slice(at + mark.length, at + mark.length + 20), 10);
  }
}

/** When {@link SendFrames} made it, on the clock of this process. Units: ms. */
export function recordSentMs(frame: Buffer, at: number): number {
  return frame.readDoubleBE(at + 88);
}
