/** Bodies of fuzzed requests. */
import { deflateSync } from 'node:zlib';
import { expressions, groups, numbers, propertyStrings, topics, type ValueMaker } from './fuzz-values.js';

/** What administrators, consumers and brokers send as bodies, and what they should not; mostly what `code` wants. */
export function jsonBody(values: ValueMaker, code: number): Buffer {
  const { random } = values;
  const queue = { brokerName: 'broker-a', queueId: random.below(5), topic: random.pick(topics) };
  const wanted = code === 34 ? heartbeat : code === 103 ? registration : code === 46 ? check : undefined;
  if (wanted !== undefined && !random.oneIn(3)) return Buffer.from(JSON.stringify(wanted(values)));
  const value = random.pick<() => unknown>([
    () => heartbeat(values),
    () => check(values),
    () => registration(values),
    () => ({ clientId: random.pick(['c1', '']), consumerGroup: random.pick(groups), mqSet: [queue, queue, null] }),
    () => ({
      groupName: random.pick(groups),
      retryMaxTimes: random.pick(numbers),
      consumeEnable: true,
      brokerId: -1,
    }),
    () => ({ dataVersion: { counter: random.pick(numbers), timestamp: 1 } }),
    () => [values.value(), { a: values.value() }],
    () => values.value(),
  ])();
  let body = Buffer.from(JSON.stringify(value) ?? '');
  if (random.oneIn(200)) body = Buffer.from('{"a":'.repeat(20_000));
  if (random.oneIn(30)) body = Buffer.from(`a=b\nunknownKey=${values.value()}\nlistenPort=x\n=\n\\u00`);
  if (random.oneIn(10)) body = deflateSync(body);
  return random.oneIn(4) ? values.damage(body) : body;
}

function subscription({ random }: ValueMaker): object {
  return {
    topic: random.pick(topics),
    subString: random.pick(random.oneIn(2) ? ['*', 'TagA', null] : expressions),
    subVersion: random.pick(numbers),
    tagsSet: random.pick<unknown>([[], ['TagA'], null, 'x', [null]]),
    codeSet: [random.next() | 0],
    expressionType: random.pick(['TAG', 'SQL92', null]),
  };
}

function heartbeat(values: ValueMaker): unknown {
  const { random } = values;
  const consumer = () => ({
    groupName: random.pick(groups),
    consumeType: random.pick(['CONSUME_PASSIVELY', 'CONSUME_ACTIVELY', 'x', null]),
    messageModel: random.pick(['CLUSTERING', 'BROADCASTING', 7]),
    consumeFromWhere: random.pick(['CONSUME_FROM_FIRST_OFFSET', '', {}]),
    subscriptionDataSet: random.oneIn(9)
      ? random.pick<unknown>([null, {}, 'x'])
      : [subscription(values), subscription(values)],
    unitMode: false,
  });
  return {
    clientID: random.pick<unknown>(['c1', 'c2', '', null, 7, '__proto__']),
    consumerDataSet: random.oneIn(9) ? random.pick<unknown>([null, {}, [null], [[]]]) : [consumer()],
    producerDataSet: [{ groupName: random.pick(groups) }, random.pick<unknown>([null, {}, 'x'])],
  };
}

function check(values: ValueMaker): unknown {
  return { clientId: 'c1', group: values.random.pick(groups), subscriptionData: subscription(values) };
}

function registration({ random }: ValueMaker): unknown {
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

/** The body of a batch, sometimes damaged. Source: spec remoting 5.5. */
export function batchBody(values: ValueMaker): Buffer {
  const { random } = values;
  const items = Array.from({ length: random.below(6) }, () => {
    const body = values.bytes(100);
    const properties = Buffer.from(random.pick(propertyStrings.slice(0, 10)));
    const fixed = Buffer.alloc(20);
    fixed.writeInt32BE(22 + body.length + properties.length, 0);
    fixed.writeInt32BE(body.length, 16);
    const propertiesSize = Buffer.alloc(2);
    propertiesSize.writeInt16BE(properties.length);
    return Buffer.concat([fixed, body, propertiesSize, properties]);
  });
  const whole = Buffer.concat(items);
  return random.oneIn(3) ? values.damage(whole) : whole;
}
