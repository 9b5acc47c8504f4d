/**
 * Frames that a broker should never see, beside those it should: well-formed requests with any values, and damage done
 * to their headers, lengths and bodies. All of it follows from a seed. It shares no code with `protocol/`.
 */
import type { Prng } from '../../runtime/base/prng.js';
import { batchBody, jsonBody } from './fuzz-bodies.js';
import { type Command, encodeBinary, escapeAll, frameOf } from './fuzz-encoding.js';
import {
  type Ext,
  expressions,
  extNames,
  groups,
  languages,
  numbers,
  propertyStrings,
  topics,
  usualTopics,
  ValueMaker,
} from './fuzz-values.js';

/** What must follow a frame. */
export type Expectation =
  /** An answer, or the end of the connection only if damage came before. */
  | 'answer'
  /** A pull that may be held for as long as it says; the end of a transaction that decides nothing is not answered. */
  | 'patience'
  /** No answer, whatever it says: it is oneway, or an answer itself. */
  | 'silence'
  /** Anything but a crash: the header is damaged. */
  | 'anything'
  /** As `anything`, and what follows on the connection cannot be told from it. */
  | 'last';

export interface FuzzFrame {
  readonly bytes: Buffer;
  readonly opaque: number;
  readonly expect: Expectation;
}

// A pull that asks to be held for longer than this is answered when it likes.
const holdMs = 300;
const pullCodes = [11, 361];
const endTransaction = 37;
const suspendFlag = 2;

export class FrameMaker {
  readonly #random: Prng;
  readonly #values: ValueMaker;
  readonly #damages: boolean;
  #opaque: number;

  /** Opaques count up from `firstOpaque`. Without `damage` every frame is well-formed, whatever its values and body. */
  constructor(random: Prng, firstOpaque: number, damage: boolean) {
    this.#random = random;
    this.#values = new ValueMaker(random);
    this.#opaque = firstOpaque | 0;
    this.#damages = damage;
  }

  next(): FuzzFrame {
    const random = this.#random;
    const kind = random.below(this.#damages ? 120 : 100);
    if (kind < 80) return this.#valid();
    if (kind < 90) return this.#silent();
    if (kind < 100) return this.#damagedBody();
    if (kind < 115) return this.#damagedHeader();
    return this.#last();
  }

  // ---- well-formed requests ----

  #valid(): FuzzFrame {
    const command = this.#command();
    return {
      bytes: this.#encode(command),
      opaque: command.opaque,
      expect: needsPatience(command) ? 'patience' : 'answer',
    };
  }

  #silent(): FuzzFrame {
    const command = this.#command();
    command.flag = this.#random.pick([1, 2, 3]);
    return { bytes: this.#encode(command), opaque: command.opaque, expect: 'silence' };
  }

  #command(): Command {
    const random = this.#random;
    const made = [this.#send, this.#send, this.#pull, this.#offsets, this.#admin, this.#any][random.below(6)]!.call(
      this,
    );
    this.#opaque = (this.#opaque + 1) | 0;
    const binary = random.oneIn(4) && made.code <= 0x7fff;
    return { flag: 0, opaque: this.#opaque, body: Buffer.alloc(0), ...made, binary };
  }

  #send(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const code = random.pick([10, 310, 310, 320]);
    const long = {
      producerGroup: 'FuzzProducer',
      topic: this.#values.topic(),
      defaultTopic: random.oneIn(8) ? random.pick(topics) : 'TBW102',
      defaultTopicQueueNums: this.#values.number('4'),
      queueId: this.#values.number(String(random.below(4))),
      sysFlag: this.#values.number('0'),
      bornTimestamp: this.#values.number('1795423265496'),
      flag: this.#values.number('0'),
      properties: random.pick(propertyStrings),
      reconsumeTimes: this.#values.number('0'),
      unitMode: random.pick(['false', 'true', '']),
      maxReconsumeTimes: this.#values.number('16'),
      batch: random.oneIn(10) ? 'true' : 'false',
    };
    const fields = Object.entries(long).filter(() => !random.oneIn(30));
    const names = Object.keys(long);
    const short = ([name, value]: [string, string]) => [String.fromCharCode(97 + names.indexOf(name)), value] as const;
    const ext = Object.fromEntries(code === 10 ? fields : fields.map(short));
    const body = code === 320 && !random.oneIn(8) ? batchBody(this.#values) : this.#values.bytes(400);
    return { code, ext, body };
  }

  #pull(): Pick<Command, 'code' | 'ext'> {
    const random = this.#random;
    const ext = {
      consumerGroup: random.pick(groups),
      topic: random.oneIn(5) ? random.pick(topics) : random.pick(usualTopics),
      queueId: this.#values.number(String(random.below(4))),
      queueOffset: this.#values.number(String(random.below(50))),
      maxMsgNums: this.#values.number('32'),
      sysFlag: this.#values.number(random.pick(['0', '2', '4', '6', '7'])),
      commitOffset: this.#values.number('0'),
      suspendTimeoutMillis: random.oneIn(3) ? random.pick(numbers) : String(random.below(holdMs)),
      subscription: random.pick(['*', 'TagA', 'TagA||TagB', '||', '', ' a || b ', 'a > 1', '*'.repeat(2000)]),
      subVersion: this.#values.number('0'),
      expressionType: random.pick(['TAG', 'TAG', '', 'SQL92', 'x']),
      ...(random.oneIn(4) ? { subscription: random.pick(expressions), expressionType: 'SQL92' } : {}),
    };
    return { code: random.oneIn(6) ? 361 : 11, ext: this.#values.thinned(ext) };
  }

  #offsets(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const ext = {
      consumerGroup: random.pick(groups),
      topic: random.pick(topics),
      queueId: this.#values.number('0'),
      commitOffset: this.#values.number('1'),
      offset: this.#values.number('0'),
      timestamp: this.#values.number('0'),
    };
    const code = random.pick([12, 14, 15, 29, 30, 31, 32, 33, 38, 202]);
    return { code, ext: this.#values.thinned(ext), body: this.#values.bytes(8) };
  }

  /** Heartbeats, registrations, topics, groups, keys and values. */
  #admin(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const topic = random.pick(topics);
    const ext = {
      topic,
      clientID: random.pick(['c1', 'c2', '', '__proto__']),
      consumerGroup: random.pick(groups),
      producerGroup: random.pick(groups),
      brokerName: random.pick(['fuzz-a', 'fuzz-b', '', '__proto__']),
      brokerAddr: random.pick(['127.0.0.1:1', '', 'x', '[::1]:3']),
      clusterName: random.pick(['FuzzCluster', '', '__proto__']),
      haServerAddr: '127.0.0.1:2',
      brokerId: this.#values.number('0'),
      compressed: random.pick(['true', 'false', 'x']),
      bodyCrc32: this.#values.number('0'),
      namespace: random.pick(['FuzzSpace', 'ORDER_TOPIC_CONFIG', '', '__proto__']),
      key: random.pick(['k', '', '__proto__', topic]),
      value: random.pick(['v', '', 'broker-a:8', 'x'.repeat(5000)]),
      readQueueNums: this.#values.number('4'),
      writeQueueNums: this.#values.number('4'),
      perm: this.#values.number('6'),
      topicFilterType: random.pick(['SINGLE_TAG', 'x']),
      topicSysFlag: this.#values.number('0'),
      order: random.pick(['true', 'false']),
      groupName: random.pick(groups),
      cluster: random.pick(['FuzzCluster', 'DefaultCluster', '']),
    };
    // What the node stores costs a write to the device each: not too many of them.
    const stored = [17, 25, 100, 102, 200, 207, 215];
    const others = [34, 34, 34, 35, 46, 101, 103, 103, 104, 105, 216, 219, 224, 322, 41, 42];
    const code = random.pick(random.oneIn(40) ? stored : others);
    return { code, ext: this.#values.thinned(ext), body: jsonBody(this.#values, code) };
  }

  #any(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const ext: Ext = {};
    for (let count = random.below(random.oneIn(40) ? 300 : 9); count > 0; count--) {
      const name = random.oneIn(8) ? `f${random.below(1000)}` : random.pick(extNames);
      ext[name] = this.#values.value();
    }
    const code = random.oneIn(12) ? random.pick([-1, 65_535, 200_050, 2_147_483_647, -32_768]) : random.below(401);
    return {
      code,
      ext,
      body: random.oneIn(2) ? jsonBody(this.#values, code) : this.#values.bytes(random.oneIn(50) ? 20_000 : 60),
    };
  }

  // ---- bytes ----

  #encode(command: Command): Buffer {
    return frameOf(command.binary ? encodeBinary(command) : this.#encodeJson(command), command.body, command.binary);
  }

  #encodeJson({ code, flag, opaque, ext }: Command): Buffer {
    const random = this.#random;
    const header = {
      code,
      extFields: ext,
      flag,
      language: random.pick(languages),
      opaque,
      version: random.pick([409, 79]),
    };
    const text = JSON.stringify(header, null, random.oneIn(30) ? ' ' : undefined);
    return Buffer.from(random.oneIn(30) ? escapeAll(text) : text);
  }

  #damagedHeader(): FuzzFrame {
    const random = this.#random;
    const command = this.#command();
    let header = this.#values.damage(command.binary ? encodeBinary(command) : this.#encodeJson(command));
    if (random.oneIn(200)) header = Buffer.from(`{"code":34,"extFields":${'{"a":'.repeat(3000)}`);
    if (random.oneIn(100)) header = Buffer.alloc(0);
    const bytes = frameOf(header, command.body, command.binary);
    if (random.oneIn(10)) bytes[4] = random.below(256);
    return { bytes, opaque: command.opaque, expect: 'anything' };
  }

  #damagedBody(): FuzzFrame {
    const command = this.#command();
    command.body = this.#values.damage(command.body);
    return {
      bytes: this.#encode(command),
      opaque: command.opaque,
      expect: needsPatience(command) ? 'patience' : 'answer',
    };
  }

  /** Lengths that lie, ends that never come, no frames at all, frames larger than any. */
  #last(): FuzzFrame {
    const random = this.#random;
    const command = this.#command();
    let bytes = this.#encode(command);
    switch (random.below(5)) {
      case 0:
        bytes.writeInt32BE(random.oneIn(2) ? random.next() | 0 : bytes.length - 4 + random.between(-20, 20), 0);
        break;
      case 1:
        bytes.writeUIntBE(random.oneIn(2) ? random.below(1 << 24) : random.below(bytes.length + 20), 5, 3);
        break;
      case 2:
        bytes = bytes.subarray(0, random.below(bytes.length));
        break;
      case 3:
        bytes = this.#values.bytes(random.oneIn(20) ? 100_000 : 300);
        break;
      default:
        if (random.oneIn(50)) bytes = frameOf(this.#encodeJson(command), Buffer.alloc(5 * 1024 * 1024), false);
        else bytes = this.#values.damage(bytes);
    }
    return { bytes, opaque: command.opaque, expect: 'last' };
  }
}

function needsPatience({ code, ext }: Command): boolean {
  if (code === endTransaction) return true;
  if (!pullCodes.includes(code)) return false;
  return (Number(ext.sysFlag) & suspendFlag) !== 0 && !(Number(ext.suspendTimeoutMillis) <= holdMs);
}
