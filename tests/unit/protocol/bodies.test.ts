import { deflateSync, inflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createMessageQueue,
  createSubscriptionGroupConfig,
  createTopicConfig,
  decodeClusterInfo,
  decodeConsumerConnection,
  decodeDataVersion,
  decodeHeartbeatData,
  decodeKVTable,
  decodeProducerConnection,
  decodeRegisterBrokerBody,
  decodeSubscriptionGroupConfig,
  decodeSubscriptionGroupWrapper,
  decodeTopicConfigSerializeWrapper,
  decodeTopicConfigText,
  decodeTopicList,
  decodeTopicRouteData,
  encodeBody,
  encodeRegisterBrokerBody,
  encodeTopicConfigText,
  encodeTopicRouteData,
  equalDataVersions,
  integerOf,
  messageQueueEntriesOf,
  messageQueueMap,
  type RegisterBrokerBody,
  registerBodyCrc32,
} from '../../../protocol/bodies.js';
import { parseDialect } from '../../../protocol/json-dialect.js';
import { RingError } from '../../../runtime/base/errors.js';

const bodies = suite('protocol/bodies');
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOfBytes = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const isViolation = (error: unknown) => error instanceof RingError && error.code === 'PROTOCOL_VIOLATION';

/** As a 4.9.8 broker sent it. */
const REGISTER_JSON =
  '{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":2,"timestamp":1795423265458},' +
  '"topicConfigTable":{"T":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"T",' +
  '"topicSysFlag":0,"writeQueueNums":4}}}}';
const REGISTER: RegisterBrokerBody = {
  filterServerList: [],
  topicConfigSerializeWrapper: {
    dataVersion: { counter: 2, timestamp: 1795423265458 },
    topicConfigTable: { T: createTopicConfig('T', { readQueueNums: 4, writeQueueNums: 4 }) },
  },
};
const V4_9_8 = { version: 409, compressed: false };

bodies('registration: the JSON form, byte for byte', () => {
  assert.is(textOfBytes(encodeRegisterBrokerBody(REGISTER)), REGISTER_JSON);
  assert.equal(decodeRegisterBrokerBody(bytesOf(REGISTER_JSON), V4_9_8), REGISTER);
});

bodies('registration: the 3.2.x form before filter servers, and no body at all', () => {
  const wrapper = encodeBody(REGISTER.topicConfigSerializeWrapper);
  assert.equal(decodeRegisterBrokerBody(wrapper, { version: 36, compressed: false }), {
    ...REGISTER,
    filterServerList: null,
  });
  const empty = { dataVersion: { counter: 0, timestamp: 0 }, topicConfigTable: {} };
  assert.equal(decodeRegisterBrokerBody(null, V4_9_8).topicConfigSerializeWrapper, empty);
  assert.equal(decodeRegisterBrokerBody(null, { version: 30, compressed: false }).topicConfigSerializeWrapper, empty);
});

bodies('registration: the compressed form', () => {
  const body = { ...REGISTER, filterServerList: ['10.0.0.5:30000'] };
  const bytes = encodeRegisterBrokerBody(body, true);
  const block = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  const golden = Buffer.concat([
    block('{"counter":2,"timestamp":1795423265458}'),
    Buffer.from([0, 0, 0, 1]),
    block('T 4 4 6 SINGLE_TAG'),
    block('["10.0.0.5:30000"]'),
  ]);
  assert.equal(inflateSync(bytes), golden);
  assert.equal(decodeRegisterBrokerBody(bytes, { version: 409, compressed: true }), body);

  const mapping = '{"bname":"b","currIdMap":{0:0},"topic":"S","totalQueues":8}';
  const withMappings = deflateSync(Buffer.concat([golden, Buffer.from([0, 0, 0, 1]), block(mapping)]));
  const decoded = decodeRegisterBrokerBody(withMappings, { version: 413, compressed: true });
  assert.is(decoded.topicQueueMappingInfoMap?.S?.totalQueues, 8);
  assert.equal(decoded.topicConfigSerializeWrapper, body.topicConfigSerializeWrapper);
  assert.throws(() => decodeRegisterBrokerBody(bytes, { version: 413, compressed: true }), isViolation);
});

bodies('registration: the compressed form cut short anywhere is a violation', () => {
  const whole = inflateSync(encodeRegisterBrokerBody(REGISTER, true));
  for (let length = 0; length < whole.length; length++) {
    const cut = deflateSync(whole.subarray(0, length));
    assert.throws(() => decodeRegisterBrokerBody(cut, { version: 409, compressed: true }), isViolation, `${length}`);
  }
  assert.throws(() => decodeRegisterBrokerBody(bytesOf('no zlib'), { version: 409, compressed: true }), isViolation);
});

bodies('registration: the check sum has 31 bits', () => {
  assert.is(registerBodyCrc32(bytesOf('hello0')), 0x7036e992);
  assert.is(registerBodyCrc32(bytesOf('123456789')), 0xcbf43926 & 0x7fffffff);
  assert.is(registerBodyCrc32(null), 0);
});

bodies('topics: defaults, text form, versions', () => {
  assert.equal(createTopicConfig('T'), {
    topicName: 'T',
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
  });
  assert.is(encodeTopicConfigText(createTopicConfig('T')), 'T 16 16 6 SINGLE_TAG');
  assert.equal(decodeTopicConfigText('T 16 16 6 SINGLE_TAG {"+message.type":"a b"}'), createTopicConfig('T'));
  for (const text of ['', 'T', 'T 1 1 6', 'T x 1 6 SINGLE_TAG', 'T 1 1 6 NONE', 'T 1 1 6 SINGLE_TAGx']) {
    assert.throws(() => decodeTopicConfigText(text), isViolation, text);
  }
  const sparse = decodeTopicConfigSerializeWrapper(bytesOf('{"topicConfigTable":{"T":{"perm":"2","order":true}}}'));
  assert.equal(sparse.topicConfigTable, { T: createTopicConfig('T', { perm: 2, order: true }) });
  assert.throws(() => decodeTopicConfigSerializeWrapper(bytesOf('{"topicConfigTable":{"T":7}}')), isViolation);
  const version = decodeDataVersion(bytesOf('{"counter":2,"stateVersion":0,"timestamp":5}'));
  assert.equal(version, { counter: 2, timestamp: 5 });
  assert.ok(equalDataVersions(version, { counter: 2, timestamp: 5, stateVersion: 0 }));
  assert.not(equalDataVersions(version, { counter: 2, timestamp: 5, stateVersion: 1 }));
  assert.not(equalDataVersions(version, { counter: 3, timestamp: 5 }));
  assert.not(equalDataVersions(version, { counter: 2, timestamp: 6 }));
});

bodies('routes: strict JSON with both spellings of the flag', () => {
  const queue = { brokerName: 'broker-a', readQueueNums: 4, writeQueueNums: 4, perm: 6, topicSysFlag: 1 };
  const broker = {
    cluster: 'C',
    brokerName: 'broker-a',
    brokerAddrs: { '0': '127.0.0.1:20911', '1': '127.0.0.1:21911' },
  };
  const route = { queueDatas: [queue], brokerDatas: [broker], filterServerTable: {} };
  const bytes = encodeTopicRouteData(route);
  assert.is(
    textOfBytes(bytes),
    '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:20911","1":"127.0.0.1:21911"},"brokerName":"broker-a",' +
      '"cluster":"C"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,' +
      '"topicSynFlag":1,"topicSysFlag":1,"writeQueueNums":4}]}',
  );
  assert.equal(decodeTopicRouteData(bytes), route);
  const old =
    '{"brokerDatas":[{"brokerAddrs":{0:"a:1"},"brokerName":"b"}],"orderTopicConf":"b:8","queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":1,"topicSynFlag":2,"writeQueueNums":1}]}';
  const decoded = decodeTopicRouteData(bytesOf(old));
  assert.is(decoded.queueDatas[0]?.topicSysFlag, 2);
  assert.equal(decoded.brokerDatas, [{ cluster: '', brokerName: 'b', brokerAddrs: { '0': 'a:1' } }]);
  assert.is(decoded.orderTopicConf, 'b:8');
});

bodies('clusters, lists, tables', () => {
  const cluster =
    '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:20911"},"brokerName":"broker-a","cluster":"C"}},' +
    '"clusterAddrTable":{"C":["broker-a"]}}';
  const info = decodeClusterInfo(bytesOf(cluster));
  assert.is(info.brokerAddrTable['broker-a']?.brokerAddrs[0], '127.0.0.1:20911');
  assert.equal(decodeClusterInfo(encodeBody(info)), info);
  assert.equal(decodeTopicList(bytesOf('{"topicList":["a","b"]}')), { topicList: ['a', 'b'] });
  assert.equal(decodeTopicList(bytesOf('{"brokerAddr":"x:1","topicList":[]}')), { topicList: [], brokerAddr: 'x:1' });
  assert.equal(decodeKVTable(bytesOf('{"table":{"a":"b","n":1,"gone":null}}')), { table: { a: 'b', n: '1' } });
  assert.throws(() => decodeKVTable(null), isViolation);
  assert.throws(() => decodeKVTable(bytesOf('[]')), isViolation);
});

bodies('heartbeat of a 4.9.8 push consumer', () => {
  const text =
    '{"clientID":"10.0.0.5@23867#2247022647142","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",' +
    '"consumeType":"CONSUME_PASSIVELY","groupName":"CG","messageModel":"CLUSTERING","unitMode":false,' +
    '"subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919],"expressionType":"TAG","subString":"TagA",' +
    '"subVersion":1795423299302,"tagsSet":["TagA"],"topic":"T"}]}],' +
    '"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}]}';
  assert.equal(decodeHeartbeatData(bytesOf(text)), JSON.parse(text));
});

bodies('heartbeat: what is missing has its default, what has no name is dropped', () => {
  const text =
    '{"clientID":"c","heartbeatFingerprint":0,"consumerDataSet":[{"groupName":"G","consumeType":0,"messageModel":"ODD",' +
    '"subscriptionDataSet":[{"topic":"T","subVersion":"7"},{"subString":"*"}]},{"consumeType":"CONSUME_POP"},null],' +
    '"producerDataSet":[{}]}';
  const [consumer, ...others] = decodeHeartbeatData(bytesOf(text)).consumerDataSet;
  assert.is(others.length, 0);
  assert.is(consumer?.consumeType, 'CONSUME_ACTIVELY');
  assert.is(consumer?.messageModel, 'CLUSTERING');
  assert.is(consumer?.consumeFromWhere, 'CONSUME_FROM_LAST_OFFSET');
  assert.equal(consumer?.subscriptionDataSet, [
    {
      topic: 'T',
      subString: '',
      tagsSet: [],
      codeSet: [],
      subVersion: 7,
      expressionType: 'TAG',
      classFilterMode: false,
    },
  ]);
  assert.equal(decodeHeartbeatData(bytesOf('{}')), { clientID: '', consumerDataSet: [], producerDataSet: [] });
});

bodies('groups', () => {
  const group = createSubscriptionGroupConfig('G');
  assert.equal(group, {
    groupName: 'G',
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
  });
  const wrapper = { dataVersion: { counter: 1, timestamp: 2 }, subscriptionGroupTable: { G: group } };
  assert.equal(decodeSubscriptionGroupWrapper(encodeBody(wrapper)), wrapper);
  const changed = decodeSubscriptionGroupConfig(bytesOf('{"groupName":"G","consumeEnable":false,"retryMaxTimes":3}'));
  assert.equal(changed, createSubscriptionGroupConfig('G', { consumeEnable: false, retryMaxTimes: 3 }));
});

bodies('connections', () => {
  const connection = { clientId: 'c', clientAddr: '127.0.0.1:5', language: 'JAVA', version: 409 };
  const subscription = {
    topic: 'T',
    subString: '*',
    tagsSet: [],
    codeSet: [],
    subVersion: 3,
    expressionType: 'TAG',
    classFilterMode: false,
  };
  const consumers = {
    connectionSet: [connection],
    subscriptionTable: { T: subscription },
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'BROADCASTING',
    consumeFromWhere: 'CONSUME_FROM_TIMESTAMP',
  };
  assert.equal(decodeConsumerConnection(encodeBody(consumers)), consumers);
  assert.equal(decodeProducerConnection(encodeBody({ connectionSet: [connection] })), { connectionSet: [connection] });
});

bodies('message queues as keys, sent as objects, read as objects and as text', () => {
  const queue = createMessageQueue('T', 'b', 3);
  const bytes = encodeBody({ offsetTable: messageQueueMap([[queue, 7]]) });
  assert.is(textOfBytes(bytes), '{"offsetTable":{{"brokerName":"b","queueId":3,"topic":"T"}:7}}');
  const readTable = (text: string) => (parseDialect(text) as { offsetTable: unknown }).offsetTable;
  for (const text of [textOfBytes(bytes), JSON.stringify({ offsetTable: { [JSON.stringify(queue)]: '7' } })]) {
    assert.equal(
      messageQueueEntriesOf(readTable(text), value => integerOf(value)),
      [[queue, 7]],
    );
  }
  assert.throws(() => messageQueueEntriesOf({ plain: 1 }, value => value), isViolation);
});

bodies.run();
