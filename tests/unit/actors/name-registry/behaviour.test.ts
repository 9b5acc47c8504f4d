import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeClusterInfo,
  decodeDataVersion,
  decodeKVTable,
  decodeTopicList,
  decodeTopicRouteData,
  encodeBody,
} from '../../../../protocol/bodies.js';
import { CommandFlag, RequestCode, ResponseCode, SerializeType } from '../../../../protocol/codes.js';
import { createRequest, decodeCommand, encodeCommand } from '../../../../protocol/command.js';
import { RingError } from '../../../../runtime/base/errors.js';
import { Room, registration, topic } from './support.js';

const registry = suite('actors/name-registry/behaviour');
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));
const bytesOf = (text: string) => new TextEncoder().encode(text);
const IDENTITY = { clusterName: 'DefaultCluster', brokerName: 'broker-a', brokerAddr: '127.0.0.1:10911', brokerId: 0 };

registry('a master registers and its topic is routed in strict JSON', () => {
  const room = new Room();
  const response = room.register();
  assert.is(response.code, ResponseCode.SUCCESS);
  assert.is(response.flag, CommandFlag.RESPONSE);
  assert.equal(response.extFields, {});
  assert.is(response.body, null);
  const route = room.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' });
  assert.is(
    textOf(route.body),
    '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:10911"},"brokerName":"broker-a","cluster":"DefaultCluster"}],' +
      '"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,' +
      '"topicSynFlag":0,"topicSysFlag":0,"writeQueueNums":4}]}',
  );
  assert.is(room.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' }).body, route.body, 'encoded once');
});

registry('a topic nobody has', () => {
  const response = new Room().ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'X' });
  assert.is(response.code, ResponseCode.TOPIC_NOT_EXIST);
  assert.is(
    response.remark,
    'No topic route info in name server for the topic: X\nSee http://rocketmq.apache.org/docs/faq/ for further details.',
  );
  assert.is(new Room().ask(RequestCode.GET_ROUTEINFO_BY_TOPIC).code, ResponseCode.SYSTEM_ERROR);
});

registry('both serialisations are answered in kind', () => {
  const room = new Room();
  for (const serializeType of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
    const request = decodeCommand(encodeCommand({ ...registration(), opaque: 77, serializeType }));
    const response = decodeCommand(encodeCommand(room.registry.handle(1, '127.0.0.1:5000', request)));
    assert.is(response.code, ResponseCode.SUCCESS);
    assert.is(response.opaque, 77);
    assert.is(response.serializeType, serializeType);
  }
});

registry('a compressed registration, and one of 3.2.x without check sum', () => {
  const room = new Room();
  assert.is(room.register({ compressed: true }).code, ResponseCode.SUCCESS);
  assert.is(room.route('T')?.queueDatas[0]?.readQueueNums, 4);
  const wrapper = bytesOf('{"dataVersion":{"counter":1,"timestamp":1},"topicConfigTable":{"Old":{"topicName":"Old"}}}');
  const old = createRequest(
    RequestCode.REGISTER_BROKER,
    { ...IDENTITY, brokerName: 'old', brokerAddr: 'o:1' },
    wrapper,
  );
  assert.is(room.registry.handle(2, '127.0.0.1:5001', { ...old, version: 36 }).code, ResponseCode.SUCCESS);
  assert.is(room.route('Old')?.queueDatas[0]?.readQueueNums, 16);
});

registry('a slave is told its master and where to copy from', () => {
  const room = new Room();
  const slave = { brokerId: 1, brokerAddr: '127.0.0.1:11911', haServerAddr: '127.0.0.1:11912', topics: [] };
  assert.equal(room.register(slave, 2).extFields, {}, 'no master yet');
  room.register();
  assert.equal(room.register(slave, 2).extFields, { masterAddr: '127.0.0.1:10911', haServerAddr: '127.0.0.1:10912' });
  assert.equal(room.route('T')?.brokerDatas[0]?.brokerAddrs, { '0': '127.0.0.1:10911', '1': '127.0.0.1:11911' });
  room.registry.connectionClosed(1);
  assert.equal(room.register(slave, 2).extFields, {}, 'the master is gone');
});

registry('registration merges: an incremental one takes nothing away', () => {
  const room = new Room();
  room.register({ topics: [topic('T'), topic('TBW102', { perm: 7 })] });
  room.register({ topics: [topic('New')], version: { counter: 2, timestamp: 1 } });
  assert.equal(room.topics(), ['New', 'T', 'TBW102']);
});

registry('the first registration may have one topic only', () => {
  const room = new Room();
  assert.is(room.register({ topics: [topic('Only')] }).code, ResponseCode.SUCCESS);
  assert.equal(room.topics(), ['Only']);
});

registry('two brokers with one name and id: the newest wins, a warning names both', () => {
  const room = new Room();
  room.register();
  room.register({ brokerAddr: '127.0.0.2:10911' }, 2);
  assert.equal(room.route('T')?.brokerDatas[0]?.brokerAddrs, { '0': '127.0.0.2:10911' });
  assert.is(room.warnings.length, 1);
  assert.match(room.warnings[0]!, '127.0.0.1:10911');
  assert.match(room.warnings[0]!, '127.0.0.2:10911');
  room.registry.connectionClosed(2);
  room.register({ brokerAddr: '127.0.0.3:10911' }, 3);
  const claims = room.warnings.filter(message => message.includes('takes the place'));
  assert.is(claims.length, 1, 'a place that is free is nobody’s');
});

registry('a check sum that does not match, a body that is none, fields that are missing', () => {
  const room = new Room();
  const request = registration();
  const refuse = (changed: Partial<typeof request>, remark: string) => {
    const response = room.registry.handle(1, '127.0.0.1:5000', { ...request, ...changed });
    assert.is(response.code, ResponseCode.SYSTEM_ERROR);
    assert.match(response.remark ?? '', remark);
  };
  const ext = (fields: Record<string, string>) => ({ extFields: { ...request.extFields, ...fields } });
  refuse(ext({ bodyCrc32: '1' }), 'crc32 not match');
  refuse({ ...ext({ bodyCrc32: '0' }), body: bytesOf('{"topicConfigSerializeWrapper":') }, 'RegisterBrokerBody: JSON');
  refuse({ ...ext({ bodyCrc32: '0', compressed: 'TRUE' }) }, 'cannot be inflated');
  refuse(ext({ brokerId: 'x' }), 'brokerId is not an integer: x');
  refuse(ext({ brokerName: '' }), 'brokerName is missing');
  refuse(ext({ brokerAddr: 'a'.repeat(2000) }), 'brokerAddr is too long');
  assert.equal(room.topics(), []);
  assert.is(room.ask(RequestCode.REGISTER_BROKER, IDENTITY).code, ResponseCode.SUCCESS, 'no body is no topics');
});

registry('the queues of ordered topics go to brokers, and into routes when asked for', () => {
  const options = { orderMessageEnable: false };
  const room = new Room(options, '{"configTable":{"ORDER_TOPIC_CONFIG":{"T":"broker-a:8"}}}');
  const response = room.register({ topics: [topic('T'), topic('U')] });
  assert.equal(decodeKVTable(response.body).table, { T: 'broker-a:8' });
  assert.is(room.route('T')?.orderTopicConf, undefined);
  options.orderMessageEnable = true;
  assert.is(room.route('T')?.orderTopicConf, 'broker-a:8');
  assert.is(room.route('U')?.orderTopicConf, undefined);
  room.ask(RequestCode.PUT_KV_CONFIG, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T', value: 'broker-a:2' });
  assert.is(room.route('T')?.orderTopicConf, 'broker-a:2');
  room.ask(RequestCode.PUT_KV_CONFIG, { namespace: 'ORDER_TOPIC_CONFIG', key: 'X', value: 'broker-a:2' });
  assert.is(room.route('X'), undefined);
});

registry('a broker that says good-bye is gone with its topics', () => {
  const room = new Room();
  room.register();
  assert.is(room.ask(RequestCode.UNREGISTER_BROKER, IDENTITY).code, ResponseCode.SUCCESS);
  assert.is(room.route('T'), undefined);
  assert.equal(room.topics(), []);
  assert.is(room.ask(RequestCode.UNREGISTER_BROKER, IDENTITY).code, ResponseCode.SUCCESS, 'twice is no error');
  assert.is(room.ask(RequestCode.UNREGISTER_BROKER, {}).code, ResponseCode.SYSTEM_ERROR);
});

registry('silence for more than 120 s ends a broker and its connection; a keep-alive does not', () => {
  const room = new Room();
  room.register({}, 1);
  room.register({ brokerName: 'broker-b', brokerAddr: '127.0.0.1:20911' }, 2);
  room.clock.advance(120_000);
  const body = encodeBody({ counter: 1, timestamp: 1 });
  const answer = room.ask(RequestCode.QUERY_DATA_VERSION, IDENTITY, body, 1);
  assert.equal(answer.extFields, { changed: 'false' });
  room.registry.scanNotActiveBrokers();
  assert.equal(room.closed, []);
  room.clock.advance(1);
  room.registry.scanNotActiveBrokers();
  assert.equal(room.closed, [2]);
  assert.equal(
    room.route('T')?.queueDatas.map(queue => queue.brokerName),
    ['broker-a'],
  );
});

registry('data version: told to register when it is not the one known', () => {
  const room = new Room();
  const ask = (body: Uint8Array | null) => room.ask(RequestCode.QUERY_DATA_VERSION, IDENTITY, body);
  const unknown = ask(encodeBody({ counter: 1, timestamp: 1 }));
  assert.equal([unknown.extFields, unknown.body], [{ changed: 'true' }, null]);
  room.register();
  const changed = ask(encodeBody({ counter: 2, timestamp: 1 }));
  assert.equal(changed.extFields, { changed: 'true' });
  assert.equal(decodeDataVersion(changed.body), { counter: 1, timestamp: 1 });
  assert.match(ask(null).remark ?? '', 'DataVersion: the body is missing');
});

registry('write permission: wiped from, and given to, all topics of a broker', () => {
  const room = new Room();
  const topics = [topic('T'), topic('TBW102', { perm: 7 }), topic('R', { perm: 4 })];
  room.register({ topics });
  const perms = () => topics.map(({ topicName }) => room.route(topicName)?.queueDatas[0]?.perm);
  const wiped = room.ask(RequestCode.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'broker-a' });
  assert.equal(wiped.extFields, { wipeTopicCount: '3' });
  assert.equal(perms(), [4, 5, 4]);
  const added = room.ask(RequestCode.ADD_WRITE_PERM_OF_BROKER, { brokerName: 'broker-a' });
  assert.equal(added.extFields, { addTopicCount: '3' });
  assert.equal(perms(), [6, 6, 6]);
  room.register({ topics });
  assert.equal(perms(), [6, 6, 6], 'until the data version changes');
  room.register({ topics, version: { counter: 2, timestamp: 1 } });
  assert.equal(perms(), [6, 7, 4]);
  const nobody = room.ask(RequestCode.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'nobody' });
  assert.equal([nobody.code, nobody.extFields], [0, { wipeTopicCount: '0' }]);
});

registry('clusters', () => {
  const room = new Room();
  room.register();
  const response = room.ask(RequestCode.GET_BROKER_CLUSTER_INFO);
  assert.is(
    textOf(response.body),
    '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{"0":"127.0.0.1:10911"},"brokerName":"broker-a",' +
      '"cluster":"DefaultCluster"}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}',
  );
  const empty = new Room().ask(RequestCode.GET_BROKER_CLUSTER_INFO);
  assert.equal(decodeClusterInfo(empty.body), { brokerAddrTable: {}, clusterAddrTable: {} });
});

registry('lists of topics', () => {
  const room = new Room();
  room.register({
    topics: [topic('U', { topicSysFlag: 1 }), topic('S', { topicSysFlag: 2 }), topic('B', { topicSysFlag: 3 })],
  });
  room.register(
    { clusterName: 'Other', brokerName: 'broker-b', brokerAddr: 'b:1', topics: [topic('T'), topic('U')] },
    2,
  );
  assert.equal(room.topics(), ['B', 'S', 'T', 'U']);
  assert.equal(room.topics(RequestCode.GET_TOPICS_BY_CLUSTER, { cluster: 'Other' }), ['T', 'U']);
  const unknown = room.ask(RequestCode.GET_TOPICS_BY_CLUSTER, { cluster: 'Unknown' });
  assert.equal([unknown.code, textOf(unknown.body)], [0, '{"topicList":[]}']);
  assert.equal(room.topics(RequestCode.GET_UNIT_TOPIC_LIST), ['B', 'U']);
  assert.equal(room.topics(RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST), ['B', 'S']);
  assert.equal(room.topics(RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST), ['S']);
  assert.equal(decodeTopicList(room.ask(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS).body), {
    topicList: ['DefaultCluster', 'broker-a', 'Other', 'broker-b'],
    brokerAddr: '127.0.0.1:10911',
  });
});

registry('a topic is deleted everywhere, or in one cluster', () => {
  const room = new Room();
  room.register();
  room.register({ clusterName: 'Other', brokerName: 'broker-b', brokerAddr: 'b:1' }, 2);
  const names = () => room.route('T')?.queueDatas.map(queue => queue.brokerName);
  room.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T', clusterName: 'Unknown' });
  assert.equal(names(), ['broker-a', 'broker-b']);
  room.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T', clusterName: 'Other' });
  assert.equal(names(), ['broker-a']);
  assert.is(room.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T' }).code, ResponseCode.SUCCESS);
  assert.is(names(), undefined);
});

registry('key-value settings', () => {
  const room = new Room();
  const project = room.ask(RequestCode.GET_KV_CONFIG, { namespace: 'PROJECT_CONFIG', key: '10.0.0.5' });
  assert.is(project.code, ResponseCode.QUERY_NOT_FOUND);
  assert.is(project.remark, 'No config item, Namespace: PROJECT_CONFIG Key: 10.0.0.5');
  const put = (key: string) => room.ask(RequestCode.PUT_KV_CONFIG, { namespace: 'N', key, value: 'v' });
  assert.is(put('a').code, ResponseCode.SUCCESS);
  assert.is(put('b').code, ResponseCode.SUCCESS);
  assert.is(room.saved.at(-1), '{"configTable":{"N":{"a":"v","b":"v"}}}');
  assert.equal(room.ask(RequestCode.GET_KV_CONFIG, { namespace: 'N', key: 'a' }).extFields, { value: 'v' });
  const byValue = room.ask(RequestCode.GET_KV_CONFIG_BY_VALUE, { namespace: 'N', key: 'v' });
  assert.equal(byValue.extFields, { value: 'a;b' });
  assert.is(
    room.ask(RequestCode.GET_KV_CONFIG_BY_VALUE, { namespace: 'N', key: 'w' }).code,
    ResponseCode.QUERY_NOT_FOUND,
  );
  const list = room.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, { namespace: 'N' });
  assert.is(textOf(list.body), '{"table":{"a":"v","b":"v"}}');
  room.ask(RequestCode.DELETE_KV_CONFIG, { namespace: 'N', key: 'a' });
  room.ask(RequestCode.DELETE_KV_CONFIG_BY_VALUE, { namespace: 'N', key: 'v' });
  const none = room.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, { namespace: 'N' });
  assert.equal([none.code, none.remark], [ResponseCode.QUERY_NOT_FOUND, 'No config item, Namespace: N']);
  const bad = room.ask(RequestCode.PUT_KV_CONFIG, { key: 'a', value: 'v' });
  assert.equal([bad.code, bad.remark], [ResponseCode.SYSTEM_ERROR, 'namespace or key is null']);
  room.saveError = new RingError('DISK_WRITE_FAILED', 'the disk is full');
  assert.equal([put('a').code, put('a').remark], [ResponseCode.SYSTEM_ERROR, 'the disk is full']);
});

registry('the configuration is shown and changed through the effects', () => {
  const room = new Room();
  assert.is(textOf(room.ask(RequestCode.GET_NAMESRV_CONFIG).body), 'orderMessageEnable=false\n');
  const update = (text: string) => room.ask(RequestCode.UPDATE_NAMESRV_CONFIG, {}, bytesOf(text));
  assert.is(update('orderMessageEnable=true\n').code, ResponseCode.SUCCESS);
  assert.equal(room.configTexts, ['orderMessageEnable=true\n']);
  const refused = update('kvConfigPath=x\n');
  assert.equal([refused.code, refused.remark], [16, 'Can not update config in black list.']);
  assert.is(room.ask(RequestCode.UPDATE_NAMESRV_CONFIG).code, ResponseCode.SUCCESS);
});

registry('what it does not know it says so', () => {
  const room = new Room();
  for (const code of [0, 10, 34, 901, 904, 29_999]) {
    const response = room.ask(code);
    assert.is(response.code, ResponseCode.REQUEST_CODE_NOT_SUPPORTED);
    assert.is(response.remark, ` request type ${code} not supported`);
  }
  assert.is(room.ask(217, { topic: 'T' }).code, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, '5.x registers a topic');
});

registry('any request has an answer', () => {
  const room = new Room();
  room.register();
  const names = [
    'topic',
    'brokerName',
    'brokerAddr',
    'clusterName',
    'brokerId',
    'bodyCrc32',
    'namespace',
    'key',
    'value',
  ];
  const text = fc.oneof(fc.string(), fc.constantFrom('0', '-1', 'T', 'broker-a', '__proto__', 'true'));
  const body = fc.oneof(
    fc.constant(null),
    fc.uint8Array(),
    fc
      .json()
      .map(json => bytesOf(`{"filterServerList":${json},"topicConfigSerializeWrapper":{"topicConfigTable":${json}}}`)),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(RequestCode)),
      fc.dictionary(fc.constantFrom(...names, 'compressed', 'cluster'), text),
      body,
      fc.constantFrom(30, 409, 413),
      (code, extFields, bytes, version) => {
        const request = { ...createRequest(code, extFields, bytes), version, opaque: 5 };
        const response = room.registry.handle(9, '127.0.0.1:5000', request);
        assert.is(response.opaque, 5);
        assert.is(response.flag, CommandFlag.RESPONSE);
        encodeCommand(response);
      },
    ),
    { numRuns: 2000 },
  );
  room.registry.connectionClosed(9);
  room.register({ version: { counter: 9, timestamp: 9 } });
  assert.ok(decodeTopicRouteData(room.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' }).body));
});

registry.run();
