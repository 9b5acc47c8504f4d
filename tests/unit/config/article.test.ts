import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatIssue, loadBrokerConfig } from '../../../config/index.js';
import { articleMaster, articleSlave, machine } from './support.js';

const article = suite('config: the files of the article');

const load = (content: string) => loadBrokerConfig({ text: { name: 'broker.properties', content }, machine });

/** Key as written, canonical key, value as RingMQ runs with it. */
const expected = [
  ['brokerClusterName', 'brokerClusterName', 'DefaultCluster'],
  ['brokerName', 'brokerName', 'broker-a'],
  ['brokerId', 'brokerId', 0],
  ['namesrvAddr', 'namesrvAddr', '192.168.36.189:9876;192.168.36.54:9876'],
  ['defaultTopicQueueNums', 'defaultTopicQueueNums', 4],
  ['autoCreateTopicEnable', 'autoCreateTopicEnable', true],
  ['autoCreateSubscriptionGroup', 'autoCreateSubscriptionGroup', true],
  ['listenPort', 'listenPort', 10_911],
  ['deleteWhen', 'deleteWhen', '04'],
  ['fileReservedTime', 'fileReservedTime', 120],
  ['mapedFileSizeCommitLog', 'mappedFileSizeCommitLog', 1_073_741_824],
  ['mapedFileSizeConsumeQueue', 'mappedFileSizeConsumeQueue', 50_000_000],
  ['destroyMapedFileIntervalForcibly', 'destroyMapedFileIntervalForcibly', 120_000],
  ['redeleteHangedFileInterval', 'redeleteHangedFileInterval', 120_000],
  ['diskMaxUsedSpaceRatio', 'diskMaxUsedSpaceRatio', 88],
  ['storePathRootDir', 'storePathRootDir', '/home/rocket/alibaba-rocketmq/data/store'],
  ['storePathCommitLog', 'storePathCommitLog', '/home/rocket/alibaba-rocketmq/data/store/commitlog'],
  ['maxMessageSize', 'maxMessageSize', 65_536],
  ['flushCommitLogLeastPages', 'flushCommitLogLeastPages', 4],
  ['flushConsumeQueueLeastPages', 'flushConsumeQueueLeastPages', 2],
  ['flushCommitLogThoroughInterval', 'flushCommitLogThoroughInterval', 10_000],
  ['flushConsumeQueueThoroughInterval', 'flushConsumeQueueThoroughInterval', 60_000],
  ['checkTransactionMessageEnable', 'checkTransactionMessageEnable', false],
  ['sendMessageThreadPoolNums', 'sendMessageThreadPoolNums', 128],
  ['pullMessageThreadPoolNums', 'pullMessageThreadPoolNums', 128],
  ['brokerRole', 'brokerRole', 'SYNC_MASTER'],
  ['flushDiskType', 'flushDiskType', 'ASYNC_FLUSH'],
] as const;

for (const [written, key, value] of expected) {
  article(`${written} is read with its type`, () => {
    const loaded = load(articleMaster);
    assert.is(loaded.config[key], value);
    assert.is(loaded.source(written), 'file');
  });
}

article('the table above has every key of the file', () => {
  const keys = articleMaster.split('\n').flatMap(line => (line === '' ? [] : [line.slice(0, line.indexOf('='))]));
  const tested: string[] = expected.map(([written]) => written);
  assert.equal(
    keys.filter(key => !tested.includes(key)),
    [],
  );
});

const expectedWarnings = [
  'broker.properties:11: mapedFileSizeCommitLog=1073741824: ' +
    'is another spelling of mappedFileSizeCommitLog, which is set',
  'broker.properties:12: mapedFileSizeConsumeQueue=50000000: ' +
    'is another spelling of mappedFileSizeConsumeQueue, which is set',
  'broker.properties:13: destroyMapedFileIntervalForcibly=120000: has no effect: ' +
    'files are not memory-mapped; a deleted file waits for nobody',
  'broker.properties:14: redeleteHangedFileInterval=120000: has no effect: ' +
    'files are not memory-mapped; a deleted file waits for nobody',
];

article('the master warns of what means something else here, and of nothing more', () => {
  assert.equal(load(articleMaster).warnings.map(formatIssue), expectedWarnings);
});

article('the slave loads with its id and role and the same warnings', () => {
  const loaded = load(articleSlave);
  assert.is(loaded.config.brokerId, 1);
  assert.is(loaded.config.brokerRole, 'SLAVE');
  assert.equal(loaded.warnings.map(formatIssue), expectedWarnings);
});

article('the key of RocketMQ 3.0 that switches questions about transactions off is known, and shown', () => {
  const loaded = load(articleMaster);
  assert.equal(loaded.unknownKeys, {});
  assert.match(loaded.text(), '\ncheckTransactionMessageEnable=false\n');
  assert.is(load('').config.checkTransactionMessageEnable, true);
});

article('its files load in strict mode too', () => {
  const loaded = load(`${articleMaster}configStrict=true\n`);
  assert.equal(loaded.warnings.map(formatIssue), expectedWarnings);
});

article.run();
