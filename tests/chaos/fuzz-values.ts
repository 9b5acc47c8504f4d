/** What fuzzed frames are filled with: names, numbers and texts that have broken somebody before, and damage. */
import type { Prng } from '../../runtime/base/prng.js';

/** The topic and group of the client that behaves: no frame from here names them. */
export const control = { topic: 'FuzzControl', group: 'FuzzControlGroup' } as const;

export const topics = [
  ...['FuzzA', 'FuzzB', 'FuzzC', 'FuzzD', '%RETRY%FuzzGroup', '%DLQ%FuzzGroup', 'TBW102', 'SCHEDULE_TOPIC_XXXX'],
  ...[
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'OFFSET_MOVED_EVENT',
    '',
    ' ',
    'bad topic',
    '../../../x',
    '标签',
    '__proto__',
    'a"b\\',
  ],
  ...['%RETRY%../../../../x', '%RETRY%bad group', `%RETRY%${'g'.repeat(300)}`],
  ...['x'.repeat(127), 'x'.repeat(128), 'x'.repeat(3000)],
];
export const usualTopics = topics.slice(0, 4);
export const groups = [
  'FuzzGroup',
  'FuzzGroup2',
  '',
  'bad group',
  '../../../../x',
  '__proto__',
  'g'.repeat(300),
  'DEFAULT_CONSUMER',
];
export const numbers = [
  ...['0', '1', '-1', '2', '3', '4', '16', '127', '128', '255', '256', '32767', '65536', '1000000'],
  ...['2147483647', '-2147483648', '2147483648', '4294967296', '9007199254740991', '9007199254740993'],
  ...['9223372036854775807', '-9223372036854775808', '9'.repeat(30), 'NaN', '', 'x', '0x10', '1.5', '1e9', ' 1', '+1'],
];
export const propertyStrings = [
  ...['', 'TAGS\u0001TagA', 'KEYS\u0001k1 k2\u0002TAGS\u0001TagA\u0002WAIT\u0001true\u0002', 'WAIT\u0001false'],
  ...['DELAY\u00013', 'DELAY\u000199999999999', 'DELAY\u0001-1', 'TRAN_MSG\u0001true\u0002PGROUP\u0001g', 'TAGS\u0001'],
  ...['\u0001\u0002\u0001', '\u0002\u0002\u0002', 'TAGS', 'CLUSTER\u0001mine', 'UNIQ_KEY\u0001x', 'TAGS\u0001\ud83d'],
  ...['INNER_MULTI_DISPATCH\u0001a,b', `K\u0001${'v'.repeat(32_700)}`, `K\u0001${'v'.repeat(40_000)}`, '消息\u0001🙂'],
];
/** SQL92, and what looks like it. */
export const expressions = [
  ...[
    "TAGS = 'TagA'",
    'TAGS > 1 OR K IS NULL',
    "K IN ('a', 'b', 'c', 'd', 'e', '消息') AND NOT (TAGS BETWEEN 1 AND 2)",
  ],
  ...['a > 1', 'a >', '', "'", '/*', '#', `${'('.repeat(300)}a`, `${'- '.repeat(300)}a`, `a${' IS NULL'.repeat(2000)}`],
  ...[`a${' = b'.repeat(2000)}`, Array.from({ length: 2000 }, (_, index) => `p${index} = ${index}`).join(' OR ')],
  ...[`a = '${'x'.repeat(70_000)}'`, '9'.repeat(300), `a = ${'9'.repeat(300)}.0`, '\u0000', '\ud83d'],
];
/** Names that some handler reads. */
export const extNames = [
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
export const languages = ['JAVA', 'JAVA', 'JAVA', 'CPP', 'GO', 'COBOL', ''];

const interesting = Buffer.from('"\\{}[]:,0189-+.eEtfnu \n\x00\x01\x02\x1f\x7f\x80\xc3\xed\xff', 'latin1');

export type Ext = Record<string, string | number | boolean | null>;

/** Draws values; all of them follow from the generator. */
export class ValueMaker {
  readonly random: Prng;

  constructor(random: Prng) {
    this.random = random;
  }

  /** Mostly one of a few; sometimes one that is not there yet, so that what follows it waits while it is made. */
  topic(): string {
    const { random } = this;
    if (random.oneIn(30)) return `Fuzz${random.below(300)}`;
    return random.oneIn(4) ? random.pick(topics) : random.pick(usualTopics);
  }

  /** `usual`, most of the time. */
  number(usual: string): string {
    return this.random.oneIn(12) ? this.random.pick(numbers) : usual;
  }

  value(): string | number | boolean | null {
    const random = this.random;
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

  thinned(ext: Ext): Ext {
    return Object.fromEntries(Object.entries(ext).filter(() => !this.random.oneIn(20)));
  }

  bytes(limit: number): Buffer {
    return Buffer.from(this.random.bytes(this.random.below(limit + 1)));
  }

  /** A copy with one to three injuries. */
  damage(original: Buffer): Buffer {
    const random = this.random;
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
