/**
 * Frames that a broker should never see, beside those it should: well-formed requests with any values, and damage done
 * to their headers, lengths and bodies. All of it follows from a seed. It shares no code with `protocol/`.
 */
import { deflateSync } from 'node:zlib';
import type { Prng } from '../../runtime/base/prng.js';

/** What must follow a frame. */
export type Expectation =
  /** An answer, or the end of the connection only if damage came before. */
  | 'answer'
  /** A pull that may be held for as long as it says. */
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

export interface Command {
  code: number;
  flag: number;
  opaque: number;
  ext: Record<string, string | number | boolean | null>;
  body: Buffer;
  binary: boolean;
}

/** The topic and group of the client that behaves: no frame from here names them. */
export const control = { topic: 'FuzzControl', group: 'FuzzControlGroup' } as const;

const topics = [
  ...['FuzzA', 'FuzzB', 'FuzzC', 'FuzzD', '%RETRY%FuzzGroup', '%DLQ%FuzzGroup', 'TBW102', 'SCHEDULE_TOPIC_XXXX'],
  ...['RMQ_SYS_TRANS_HALF_TOPIC', 'OFFSET_MOVED_EVENT', '', ' ', 'bad topic', '../../x', '标签', '__proto__', 'a"b\\'],
  ...['x'.repeat(127), 'x'.repeat(128), 'x'.repeat(3000)],
];
const usualTopics = topics.slice(0, 4);
const groups = ['FuzzGroup', 'FuzzGroup2', '', 'bad group', '__proto__', 'g'.repeat(300), 'DEFAULT_CONSUMER'];
const numbers = [
  ...['0', '1', '-1', '2', '3', '4', '16', '127', '128', '255', '256', '32767', '65536', '1000000'],
  ...['2147483647', '-2147483648', '2147483648', '4294967296', '9007199254740991', '9007199254740993'],
  ...['9223372036854775807', '-9223372036854775808', '9'.repeat(30), 'NaN', '', 'x', '0x10', '1.5', '1e9', ' 1', '+1'],
];
const propertyStrings = [
  ...['', 'TAGS\u0001TagA', 'KEYS\u0001k1 k2\u0002TAGS\u0001TagA\u0002WAIT\u0001true\u0002', 'WAIT\u0001false'],
  ...['DELAY\u00013', 'DELAY\u000199999999999', 'DELAY\u0001-1', 'TRAN_MSG\u0001true\u0002PGROUP\u0001g', 'TAGS\u0001'],
  ...['\u0001\u0002\u0001', '\u0002\u0002\u0002', 'TAGS', 'CLUSTER\u0001mine', 'UNIQ_KEY\u0001x', 'TAGS\u0001\ud83d'],
  ...['INNER_MULTI_DISPATCH\u0001a,b', `K\u0001${'v'.repeat(32_700)}`, `K\u0001${'v'.repeat(40_000)}`, '消息\u0001🙂'],
];
/** Names that some handler reads. */
const extNames = [
  ...[
    'topic',
    'queueId',
    'consumerGroup',
    'producerGroup',
    'group',
    'groupName',
    'offset',
    'commitOffset',
    'queueOffset',
  ],
  ...['maxMsgNums', 'sysFlag', 'timestamp', 'key', 'maxNum', 'beginTimestamp', 'endTimestamp', 'namespace', 'value'],
  ...['brokerName', 'brokerAddr', 'clusterName', 'haServerAddr', 'brokerId', 'clientID', 'cluster', 'defaultTopic'],
  ...['readQueueNums', 'writeQueueNums', 'perm', 'topicFilterType', 'topicSysFlag', 'order', 'acceptStandardJsonOnly'],
  ...['compressed', 'bodyCrc32', 'isForce', 'requireTopicConfig', 'offsetMsgId', 'tranStateTableOffset', 'filterType'],
  ...['delayLevel', 'originMsgId', 'originTopic', 'maxReconsumeTimes', 'extraInfo', 'isC', 'a', 'b', 'c', '__proto__'],
];
const languages = ['JAVA', 'JAVA', 'JAVA', 'CPP', 'GO', 'COBOL', ''];

// A pull that asks to be held for longer than this is answered when it likes.
const holdMs = 300;
const pullCodes = [11, 361];
const suspendFlag = 2;

export class FrameMaker {
  readonly #random: Prng;
  readonly #damages: boolean;
  #opaque: number;

  /** Opaques count up from `firstOpaque`. Without `damage` every frame is well-formed, whatever its values and body. */
  constructor(random: Prng, firstOpaque: number, damage: boolean) {
    this.#random = random;
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
    return { bytes: this.#encode(command), opaque: command.opaque, expect: mayBeHeld(command) ? 'patience' : 'answer' };
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
      topic: random.oneIn(4) ? random.pick(topics) : random.pick(usualTopics),
      defaultTopic: random.oneIn(8) ? random.pick(topics) : 'TBW102',
      defaultTopicQueueNums: this.#number('4'),
      queueId: this.#number(String(random.below(4))),
      sysFlag: this.#number('0'),
      bornTimestamp: this.#number('1795423265496'),
      flag: this.#number('0'),
      properties: random.pick(propertyStrings),
      reconsumeTimes: this.#number('0'),
      unitMode: random.pick(['false', 'true', '']),
      maxReconsumeTimes: this.#number('16'),
      batch: random.oneIn(10) ? 'true' : 'false',
    };
    const fields = Object.entries(long).filter(() => !random.oneIn(30));
    const names = Object.keys(long);
    const short = ([name, value]: [string, string]) => [String.fromCharCode(97 + names.indexOf(name)), value] as const;
    const ext = Object.fromEntries(code === 10 ? fields : fields.map(short));
    const body = code === 320 && !random.oneIn(8) ? this.#batchBody() : this.#bytes(400);
    return { code, ext, body };
  }

  #batchBody(): Buffer {
    const random = this.#random;
    const items = Array.from({ length: random.below(6) }, () => {
      const body = this.#bytes(100);
      const properties = Buffer.from(random.pick(propertyStrings.slice(0, 10)));
      const fixed = Buffer.alloc(20);
      fixed.writeInt32BE(22 + body.length + properties.length, 0);
      fixed.writeInt32BE(body.length, 16);
      const propertiesSize = Buffer.alloc(2);
      propertiesSize.writeInt16BE(properties.length);
      return Buffer.concat([fixed, body, propertiesSize, properties]);
    });
    const whole = Buffer.concat(items);
    return random.oneIn(3) ? this.#damage(whole) : whole;
  }

  #pull(): Pick<Command, 'code' | 'ext'> {
    const random = this.#random;
    const ext = {
      consumerGroup: random.pick(groups),
      topic: random.oneIn(5) ? random.pick(topics) : random.pick(usualTopics),
      queueId: this.#number(String(random.below(4))),
      queueOffset: this.#number(String(random.below(50))),
      maxMsgNums: this.#number('32'),
      sysFlag: this.#number(random.pick(['0', '2', '4', '6', '7'])),
      commitOffset: this.#number('0'),
      suspendTimeoutMillis: random.oneIn(3) ? random.pick(numbers) : String(random.below(holdMs)),
      subscription: random.pick(['*', 'TagA', 'TagA||TagB', '||', '', ' a || b ', 'a > 1', '*'.repeat(2000)]),
      subVersion: this.#number('0'),
      expressionType: random.pick(['TAG', 'TAG', '', 'SQL92', 'x']),
    };
    return { code: random.oneIn(6) ? 361 : 11, ext: this.#thinned(ext) };
  }

  #offsets(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const ext = {
      consumerGroup: random.pick(groups),
      topic: random.pick(topics),
      queueId: this.#number('0'),
      commitOffset: this.#number('1'),
      offset: this.#number('0'),
      timestamp: this.#number('0'),
    };
    const code = random.pick([12, 14, 15, 29, 30, 31, 32, 33, 38, 202]);
    return { code, ext: this.#thinned(ext), body: this.#bytes(8) };
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
      brokerId: this.#number('0'),
      compressed: random.pick(['true', 'false', 'x']),
      bodyCrc32: this.#number('0'),
      namespace: random.pick(['FuzzSpace', 'ORDER_TOPIC_CONFIG', '', '__proto__']),
      key: random.pick(['k', '', '__proto__', topic]),
      value: random.pick(['v', '', 'broker-a:8', 'x'.repeat(5000)]),
      readQueueNums: this.#number('4'),
      writeQueueNums: this.#number('4'),
      perm: this.#number('6'),
      topicFilterType: random.pick(['SINGLE_TAG', 'x']),
      topicSysFlag: this.#number('0'),
      order: random.pick(['true', 'false']),
      groupName: random.pick(groups),
      cluster: random.pick(['FuzzCluster', 'DefaultCluster', '']),
    };
    // What the node stores costs a write to the device each: not too many of them.
    const stored = [17, 25, 100, 102, 200, 207, 215];
    const others = [34, 34, 34, 35, 101, 103, 103, 104, 105, 216, 219, 224, 322, 41, 42];
    const code = random.pick(random.oneIn(12) ? stored : others);
    return { code, ext: this.#thinned(ext), body: this.#jsonBody() };
  }

  #any(): Pick<Command, 'code' | 'ext' | 'body'> {
    const random = this.#random;
    const ext: Command['ext'] = {};
    for (let count = random.below(random.oneIn(40) ? 300 : 9); count > 0; count--) {
      const name = random.oneIn(8) ? `f${random.below(1000)}` : random.pick(extNames);
      ext[name] = this.#value();
    }
    const code = random.oneIn(12) ? random.pick([-1, 65_535, 200_050, 2_147_483_647, -32_768]) : random.below(401);
    return { code, ext, body: random.oneIn(2) ? this.#jsonBody() : this.#bytes(random.oneIn(50) ? 20_000 : 60) };
  }

  // ---- values ----

  /** `usual`, most of the time. */
  #number(usual: string): string {
    return this.#random.oneIn(12) ? this.#random.pick(numbers) : usual;
  }

  #value(): string | number | boolean | null {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
        return random.pick(topics);
      case 1:
        return random.pick(groups);
      case 2:
        return random.pick(propertyStrings.slice(0, 15));
      case 3:
        return random.next() | 0;
      case 4:
        return random.pick([true, false, null, 1.5, -0]);
      case 5:
        return String.fromCharCode(...Array.from({ length: random.below(12) }, () => random.below(0x10000)));
      default:
        return random.pick(numbers);
    }
  }

  #thinned<Ext extends Command['ext']>(ext: Ext): Command['ext'] {
    return Object.fromEntries(Object.entries(ext).filter(() => !this.#random.oneIn(20)));
  }

  #bytes(limit: number): Buffer {
    return Buffer.from(this.#random.bytes(this.#random.below(limit + 1)));
  }

  #jsonBody(): Buffer {
    const random = this.#random;
    const queue = { brokerName: 'broker-a', queueId: random.below(5), topic: random.pick(topics) };
    const value = random.pick<() => unknown>([
      () => this.#heartbeat(),
      () => this.#heartbeat(),
      () => this.#registration(),
      () => ({ clientId: random.pick(['c1', '']), consumerGroup: random.pick(groups), mqSet: [queue, queue, null] }),
      () => ({
        groupName: random.pick(groups),
        retryMaxTimes: random.pick(numbers),
        consumeEnable: true,
        brokerId: -1,
      }),
      () => ({ dataVersion: { counter: random.pick(numbers), timestamp: 1 } }),
      () => [this.#value(), { a: this.#value() }],
      () => this.#value(),
    ])();
    let body = Buffer.from(JSON.stringify(value) ?? '');
    if (random.oneIn(200)) body = Buffer.from('{"a":'.repeat(20_000));
    if (random.oneIn(30)) body = Buffer.from(`a=b\nunknownKey=${this.#value()}\nlistenPort=x\n=\n\\u00`);
    if (random.oneIn(10)) body = deflateSync(body);
    return random.oneIn(4) ? this.#damage(body) : body;
  }

  #heartbeat(): unknown {
    const random = this.#random;
    const subscription = () => ({
      topic: random.pick(topics),
      subString: random.pick(['*', 'TagA', null]),
      subVersion: random.pick(numbers),
      tagsSet: random.pick<unknown>([[], ['TagA'], null, 'x', [null]]),
      codeSet: [random.next() | 0],
      expressionType: random.pick(['TAG', 'SQL92', null]),
    });
    const consumer = () => ({
      groupName: random.pick(groups),
      consumeType: random.pick(['CONSUME_PASSIVELY', 'CONSUME_ACTIVELY', 'x', null]),
      messageModel: random.pick(['CLUSTERING', 'BROADCASTING', 7]),
      consumeFromWhere: random.pick(['CONSUME_FROM_FIRST_OFFSET', '', {}]),
      subscriptionDataSet: random.oneIn(9) ? random.pick<unknown>([null, {}, 'x']) : [subscription(), subscription()],
      unitMode: false,
    });
    return {
      clientID: random.pick<unknown>(['c1', 'c2', '', null, 7, '__proto__']),
      consumerDataSet: random.oneIn(9) ? random.pick<unknown>([null, {}, [null], [[]]]) : [consumer()],
      producerDataSet: [{ groupName: random.pick(groups) }, random.pick<unknown>([null, {}, 'x'])],
    };
  }

  #registration(): unknown {
    const random = this.#random;
    const name = random.pick(topics);
    const number = () => random.pick<unknown>([4, -1, 0, 2_147_483_647, 'x', null, ...numbers.slice(0, 4)]);
    const topic = { topicName: name, readQueueNums: number(), writeQueueNums: number(), perm: number(), order: false };
    return {
      filterServerList: random.pick<unknown>([[], null, ['x'], 'x']),
      topicConfigSerializeWrapper: {
        dataVersion: random.pick<unknown>([{ counter: number(), timestamp: number() }, null, []]),
        topicConfigTable: random.oneIn(9) ? random.pick<unknown>([null, [], 'x']) : { [name]: topic, other: number() },
      },
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
    let header = this.#damage(command.binary ? encodeBinary(command) : this.#encodeJson(command));
    if (random.oneIn(200)) header = Buffer.from(`{"code":34,"extFields":${'{"a":'.repeat(3000)}`);
    if (random.oneIn(100)) header = Buffer.alloc(0);
    const bytes = frameOf(header, command.body, command.binary);
    if (random.oneIn(10)) bytes[4] = random.below(256);
    return { bytes, opaque: command.opaque, expect: 'anything' };
  }

  #damagedBody(): FuzzFrame {
    const command = this.#command();
    command.body = this.#damage(command.body);
    return { bytes: this.#encode(command), opaque: command.opaque, expect: mayBeHeld(command) ? 'patience' : 'answer' };
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
        bytes = this.#bytes(random.oneIn(20) ? 100_000 : 300);
        break;
      default:
        if (random.oneIn(50)) bytes = frameOf(this.#encodeJson(command), Buffer.alloc(5 * 1024 * 1024), false);
        else bytes = this.#damage(bytes);
    }
    return { bytes, opaque: command.opaque, expect: 'last' };
  }

  #damage(original: Buffer): Buffer {
    const random = this.#random;
    let bytes = Buffer.from(original);
    for (let injuries = random.between(1, 3); injuries > 0; injuries--) {
      const at = random.below(bytes.length + 1);
      const to = Math.min(bytes.length, at + random.between(1, 8));
      switch (random.below(6)) {
        case 0:
          if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
          break;
        case 1:
          if (at < bytes.length) bytes[at] = interesting[random.below(interesting.length)]!;
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
          break;
        case 3:
          bytes = Buffer.from(bytes.subarray(0, at));
          break;
        case 4:
          bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
          break;
        default:
          if (bytes.length - at >= 4) bytes.writeInt32BE(random.pick([-1, 0, 1, 0x7fffffff, -0x80000000, 0xffff]), at);
      }
    }
    return bytes;
  }
}

const interesting = Buffer.from('"\\{}[]:,0189-+.eEtfnu \n\x00\x01\x02\x1f\x7f\x80\xc3\xed\xff', 'latin1');

function mayBeHeld({ code, ext }: Command): boolean {
  if (!pullCodes.includes(code)) return false;
  return (Number(ext.sysFlag) & suspendFlag) !== 0 && !(Number(ext.suspendTimeoutMillis) <= holdMs);
}

function frameOf(header: Buffer, body: Buffer, binary: boolean): Buffer {
  const frame = Buffer.alloc(8 + header.length + body.length);
  frame.writeInt32BE(4 + header.length + body.length, 0);
  frame[4] = binary ? 1 : 0;
  frame.writeUIntBE(header.length, 5, 3);
  header.copy(frame, 8);
  body.copy(frame, 8 + header.length);
  return frame;
}

/** Source: spec remoting 1.2. */
function encodeBinary({ code, flag, opaque, ext }: Command): Buffer {
  const entries = Object.entries(ext).filter(([, value]) => value !== null);
  const block = Buffer.concat(
    entries.flatMap(([name, value]) => {
      const [key, text] = [Buffer.from(name), Buffer.from(String(value))];
      const sizes = [Buffer.alloc(2), Buffer.alloc(4)] as const;
      sizes[0].writeInt16BE(key.length);
      sizes[1].writeInt32BE(text.length);
      return [sizes[0], key, sizes[1], text];
    }),
  );
  const fixed = Buffer.alloc(21);
  fixed.writeInt16BE((code << 16) >> 16, 0);
  fixed.writeInt16BE(409, 3);
  fixed.writeInt32BE(opaque, 5);
  fixed.writeInt32BE(flag, 9);
  fixed.writeInt32BE(block.length, 17);
  return Buffer.concat([fixed, block]);
}

/** The same JSON with every letter of its texts escaped, but for the names of the outer fields. */
function escapeAll(json: string): string {
  return json.replace(/:"((?:[^"\\]|\\.)*)"/g, (_, text: string) => {
    const plain = JSON.parse(`"${text}"`) as string;
    const units = Array.from({ length: plain.length }, (_, index) =>
      plain.charCodeAt(index).toString(16).padStart(4, '0'),
    );
    return `:"${units.map(unit => `\\u${unit}`).join('')}"`;
  });
}
