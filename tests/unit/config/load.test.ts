import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BrokerLoadOptions,
  ConfigError,
  formatIssue,
  loadBrokerConfig,
  loadNamesrvConfig,
} from '../../../config/index.js';
import { machine } from './support.js';

const loading = suite('config: loading');

const load = (content: string, more: BrokerLoadOptions = {}) =>
  loadBrokerConfig({ text: { name: 'b.properties', content }, machine, ...more });

const warningsOf = (content: string, more: BrokerLoadOptions = {}) => load(content, more).warnings.map(formatIssue);

function errorOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    assert.instance(error, ConfigError);
    return error as ConfigError;
  }
  throw new Error('the configuration was accepted');
}

loading('without any input the defaults of RocketMQ 4.9.8 stand', () => {
  const { config, warnings, unknownKeys } = loadBrokerConfig({ machine });
  assert.equal(warnings, []);
  assert.equal(unknownKeys, {});
  assert.ok(Object.isFrozen(config));
  assert.is(config.listenPort, 10_911);
  assert.is(config.haListenPort, 10_912);
  assert.is(config.brokerName, 'host-1');
  assert.is(config.brokerIP1, '');
  assert.is(config.storePathRootDir, '/home/tester/store');
  assert.is(config.storePathCommitLog, '/home/tester/store/commitlog');
  assert.is(config.sendMessageThreadPoolNums, 4);
  assert.is(config.pullMessageThreadPoolNums, 4);
  assert.is(config.endTransactionThreadPoolNums, 24);
  assert.is(config.lanesMax, 8);
  assert.is(config.bindAddress, '0.0.0.0');
});

loading('flags win over the file, the file over the environment, the environment over the default', () => {
  const env = { NAMESRV_ADDR: 'env:1' };
  const set = { namesrvAddr: 'set:1' };
  const addressWith = (content: string, more: BrokerLoadOptions) => {
    const loaded = load(content, { env, ...more });
    return [loaded.config.namesrvAddr, loaded.source('namesrvAddr')];
  };
  assert.equal(addressWith('namesrvAddr=file:1', { set, namesrvAddr: 'flag:1' }), ['flag:1', 'set']);
  assert.equal(addressWith('namesrvAddr=file:1', { set }), ['set:1', 'set']);
  assert.equal(addressWith('namesrvAddr=file:1', {}), ['file:1', 'file']);
  assert.equal(addressWith('', {}), ['env:1', 'environment']);
  assert.equal(addressWith('', { env: {} }), ['', 'default']);
});

loading('all errors come at once, each with its line and what is allowed', () => {
  const content = `# a file with everything wrong
brokerRole=Slave
flushDiskType=SYNC
listenPort=70000
autoCreateTopicEnable=yes
fileReservedTime=4M

sendMessageThreadPoolNums=0
deleteWhen=4
namesrvAddr=192.168.0.1
brokerPermission=5
ringCapacityBytes=100000
`;
  const error = errorOf(() => load(content));
  assert.is(error.code, 'CONFIG_INVALID');
  assert.equal(error.message.split('\n'), [
    'b.properties:2: brokerRole=Slave: must be one of ASYNC_MASTER, SYNC_MASTER, SLAVE; did you mean SLAVE?',
    'b.properties:3: flushDiskType=SYNC: must be one of ASYNC_FLUSH, SYNC_FLUSH',
    'b.properties:4: listenPort=70000: must be a whole number from 0 to 65534',
    'b.properties:5: autoCreateTopicEnable=yes: must be true or false',
    'b.properties:6: fileReservedTime=4M: must be a whole number from 0 to 2147483647',
    'b.properties:8: sendMessageThreadPoolNums=0: must be a whole number from 1 to 4096',
    'b.properties:9: deleteWhen=4: ' +
      'must be one or more hours of two digits from 00 to 23 separated by `;`, such as 04 or 04;16',
    'b.properties:10: namesrvAddr=192.168.0.1: must be host:port or several of them separated by `;`',
    'b.properties:11: brokerPermission=5: must be one of 0, 2, 4, 6',
    'b.properties:12: ringCapacityBytes=100000: must be a power of two from 65536 to 1073741824',
  ]);
  const { file, line, key, value, allowed } = error.issues[1]!;
  assert.equal([file, line, key, value], ['b.properties', 3, 'flushDiskType', 'SYNC']);
  assert.is(allowed, 'one of ASYNC_FLUSH, SYNC_FLUSH');
});

loading('an error of a flag says so', () => {
  const error = errorOf(() => load('', { set: { listenPort: 'x' } }));
  assert.is(error.message, 'command line: listenPort=x: must be a whole number from 0 to 65534');
});

loading('a file is read through readText, and one that cannot be read is an error of the configuration', () => {
  const readText = (path: string): string => {
    if (path === 'good') return 'brokerName=from-file';
    throw new Error('no such file');
  };
  assert.is(loadBrokerConfig({ file: 'good', readText, machine }).config.brokerName, 'from-file');
  const error = errorOf(() => loadBrokerConfig({ file: 'gone', readText, machine }));
  assert.is(error.message, 'gone: cannot be read: no such file');
});

loading('line numbers count continued lines, comments and every kind of line end', () => {
  const error = errorOf(() => load('# c\r\nbrokerName=a\\\r\n  b\r\n\r\n! d\rlistenPort=x\nfileReservedTime : y'));
  assert.equal(
    error.issues.map(({ line, key }) => [line, key]),
    [
      [6, 'listenPort'],
      [7, 'fileReservedTime'],
    ],
  );
});

loading('the syntax is that of Java: separators, escapes, continuation, a byte order mark', () => {
  const { config } = load(
    '\uFEFFbrokerName : a\\u0062\\\n   c\nstorePathRootDir=C:\\\\data\nregionId  =  West\nlogLevel warn\n',
  );
  assert.is(config.brokerName, 'abc');
  assert.is(config.storePathRootDir, 'C:\\data');
  assert.is(config.regionId, 'West');
  assert.is(config.logLevel, 'warn');
});

loading('blanks after numbers, booleans and enums are dropped and after text they count; both are said', () => {
  const loaded = load('listenPort=10921 \ntraceOn=FALSE\t\nbrokerRole=SYNC_MASTER \nregionId=West \n');
  assert.equal(
    [loaded.config.listenPort, loaded.config.traceOn, loaded.config.brokerRole, loaded.config.regionId],
    [10_921, false, 'SYNC_MASTER', 'West '],
  );
  assert.equal(loaded.warnings.map(formatIssue), [
    'b.properties:1: listenPort=10921 : blanks around the value were dropped',
    'b.properties:2: traceOn=FALSE\t: blanks around the value were dropped',
    'b.properties:3: brokerRole=SYNC_MASTER : blanks around the value were dropped',
    'b.properties:4: regionId=West : ends with blanks, which belong to the value',
  ]);
});

loading('an unknown key warns with the nearest name and is kept; strict mode refuses it', () => {
  const loaded = load('flushDiskTyp=SYNC_FLUSH\nzzzzzz=1\n');
  assert.equal(loaded.warnings.map(formatIssue), [
    'b.properties:1: flushDiskTyp=SYNC_FLUSH: is not a known key; did you mean flushDiskType?',
    'b.properties:2: zzzzzz=1: is not a known key',
  ]);
  assert.equal(loaded.unknownKeys, { flushDiskTyp: 'SYNC_FLUSH', zzzzzz: '1' });
  assert.match(loaded.text(), /\nflushDiskTyp=SYNC_FLUSH\nzzzzzz=1\n$/);
  const error = errorOf(() => load('flushDiskTyp=SYNC_FLUSH', { set: { configStrict: 'true' } }));
  assert.is(error.message, 'b.properties:1: flushDiskTyp=SYNC_FLUSH: is not a known key; did you mean flushDiskType?');
});

loading('a key of RocketMQ 5 is named as such', () => {
  assert.equal(warningsOf('timerWheelEnable=true'), [
    'b.properties:1: timerWheelEnable=true: has no effect: it is a key of RocketMQ 5, which RingMQ does not have',
  ]);
});

const aliases = [
  ['mapedFileSizeCommitLog', 'mappedFileSizeCommitLog'],
  ['mapedFileSizeConsumeQueue', 'mappedFileSizeConsumeQueue'],
  ['destroyMappedFileIntervalForcibly', 'destroyMapedFileIntervalForcibly'],
  ['flushLeastPagesWhenWarmMappedFile', 'flushLeastPagesWhenWarmMapedFile'],
  ['putMsgIndexHighWater', 'putMsgIndexHightWater'],
  ['haSlaveFallBehindMax', 'haSlaveFallbehindMax'],
] as const;

for (const [alias, key] of aliases) {
  loading(`${alias} means ${key}`, () => {
    const loaded = load(`${alias}=30000000`);
    assert.is(loaded.config[key], 30_000_000);
    assert.is(loaded.warnings[0]!.message, `is another spelling of ${key}, which is set`);
  });
}

loading('beside its alias the proper name counts, whichever comes first', () => {
  for (const content of [
    'mappedFileSizeConsumeQueue=400\nmapedFileSizeConsumeQueue=600\n',
    'mapedFileSizeConsumeQueue=600\nmappedFileSizeConsumeQueue=400\n',
  ]) {
    const loaded = load(content);
    assert.is(loaded.config.mappedFileSizeConsumeQueue, 400);
    assert.is(loaded.warnings.length, 1);
    assert.is(loaded.warnings[0]!.message, 'means mappedFileSizeConsumeQueue, which is also given and counts');
  }
  const same = load('mappedFileSizeConsumeQueue=400\nmapedFileSizeConsumeQueue=400\n');
  assert.is(same.warnings[0]!.message, 'is another spelling of mappedFileSizeConsumeQueue, which is set');
});

loading('an alias on the command line wins over the proper name in the file', () => {
  const loaded = load('mappedFileSizeConsumeQueue=400', { set: { mapedFileSizeConsumeQueue: '600' } });
  assert.is(loaded.config.mappedFileSizeConsumeQueue, 600);
});

loading('of a repeated key the last counts, with a warning', () => {
  const loaded = load('fileReservedTime=1\n\nfileReservedTime=2\n');
  assert.is(loaded.config.fileReservedTime, 2);
  assert.equal(loaded.warnings.map(formatIssue), [
    'b.properties:1: fileReservedTime=1: is given again on line 3, where it counts',
  ]);
});

loading('a key that does nothing says why, one that does nothing yet what it waits for', () => {
  assert.equal(warningsOf('transientStorePoolEnable=true\ndisableConsumeIfConsumerReadSlowly=true\n'), [
    'b.properties:1: transientStorePoolEnable=true: has no effect: ' +
      'there is no second buffer in front of the commit log',
    'b.properties:2: disableConsumeIfConsumerReadSlowly=true: has no effect yet: it waits for the check of lagging groups',
  ]);
});

loading('the environment is not blamed for keys that do nothing', () => {
  const loaded = load('', { env: { ROCKETMQ_HOME: '/opt/rocketmq' } });
  assert.is(loaded.config.rocketmqHome, '/opt/rocketmq');
  assert.equal(loaded.warnings, []);
});

loading('a name server has its own keys, port and file of changes', () => {
  const loaded = loadNamesrvConfig({
    text: { name: '/etc/n.properties', content: 'orderMessageEnable=true' },
    machine,
  });
  assert.is(loaded.config.listenPort, 9876);
  assert.is(loaded.config.orderMessageEnable, true);
  assert.is(loaded.config.kvConfigPath, '/home/tester/namesrv/kvConfig.json');
  assert.is(loaded.config.configStorePath, '/etc/n.properties');
  assert.is(loadNamesrvConfig({ machine }).config.configStorePath, '/home/tester/namesrv/namesrv.properties');
  const moved = loadNamesrvConfig({ text: { name: 'n', content: 'configStorePath=/elsewhere' }, machine });
  assert.is(moved.config.configStorePath, 'n');
  assert.is(moved.warnings.length, 1);
});

loading.run();
