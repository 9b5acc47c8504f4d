import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BrokerConfig, ConfigError, formatIssue, loadBrokerConfig } from '../../../config/index.js';
import { machine } from './support.js';

const rules = suite('config: rules across keys');

const load = (...lines: string[]) => loadBrokerConfig({ text: { name: 'b', content: lines.join('\n') }, machine });

function refusal(...lines: string[]): string {
  try {
    load(...lines);
  } catch (error) {
    assert.instance(error, ConfigError);
    return (error as ConfigError).message;
  }
  return 'accepted';
}

function expectWarning(lines: string[], key: keyof BrokerConfig, value: unknown, warning: string): void {
  const loaded = load(...lines);
  assert.is(loaded.config[key], value);
  assert.equal(loaded.warnings.map(formatIssue), [warning]);
}

rules('a master has id 0 whatever was configured', () => {
  expectWarning(
    ['brokerRole=ASYNC_MASTER', 'brokerId=3'],
    'brokerId',
    0,
    'b:2: brokerId=3: is ignored: brokerRole=ASYNC_MASTER is a master, and a master has brokerId 0',
  );
});

rules('a slave needs an id of its own', () => {
  assert.is(refusal('brokerRole=SLAVE'), 'default: brokerId=0: must be greater than 0 for brokerRole=SLAVE');
  assert.is(load('brokerRole=SLAVE', 'brokerId=2').config.brokerId, 2);
});

rules('a region stands in every answer to a send, so it is short', () => {
  assert.is(load(`regionId=${'r'.repeat(127)}`).config.regionId.length, 127);
  assert.is(load('regionId=').config.regionId, '');
  for (const region of ['r'.repeat(128), 'a\\u0001b']) {
    assert.match(refusal(`regionId=${region}`), /regionId=.*must be at most 127 characters and no control characters/);
  }
});

rules('name server addresses are host:port', () => {
  for (const good of ['', 'a:1', 'a:1;b:2', 'a:1;b:2;', '[::1]:9876', 'fe80::1:9876']) {
    assert.is(load(`namesrvAddr=${good}`).config.namesrvAddr, good);
  }
  for (const bad of ['a', 'a:', ':1', 'a:1;;b:2', 'a:1,b:2', 'a:x']) {
    assert.match(refusal(`namesrvAddr=${bad}`), 'must be host:port');
  }
  assert.is(
    refusal('namesrvAddr=a:1;b:65536'),
    'b:1: namesrvAddr=a:1;b:65536: must have ports from 1 to 65535: b:65536',
  );
});

rules('the replication port is none of the two service ports', () => {
  for (const port of ['10911', '10909']) {
    assert.match(refusal(`haListenPort=${port}`), /haListenPort=\d+: must differ from listenPort and listenPort - 2/);
  }
});

rules('the replication port follows the service port unless configured', () => {
  assert.is(load('listenPort=20000').config.haListenPort, 20_001);
  assert.is(load('listenPort=20000').source('haListenPort'), 'derived');
  assert.is(load('listenPort=0').config.haListenPort, 0);
  assert.is(load('listenPort=20000', 'haListenPort=3000').config.haListenPort, 3000);
});

rules('ports of one process must not meet', () => {
  assert.match(refusal('listenPort=2'), 'must be at least 3');
  for (const port of [9878, 9876, 9875]) {
    assert.match(refusal(`listenPort=${port}`, 'namesrvListenPort=9876'), 'namesrvListenPort=9876: must differ from');
  }
  assert.is(refusal('listenPort=9877', 'namesrvListenPort=9876'), 'accepted');
});

rules('a commit log file takes the largest message', () => {
  assert.is(
    refusal('mappedFileSizeCommitLog=1048576'),
    'b:1: mappedFileSizeCommitLog=1048576: must be greater than maxMessageSize + 64.0 KiB = 4259840',
  );
  assert.is(load('mapedFileSizeCommitLog=1048576', 'maxMessageSize=65536').config.mappedFileSizeCommitLog, 1_048_576);
});

rules('a rule about two keys is silent when one of them cannot be read', () => {
  assert.is(
    refusal('mappedFileSizeCommitLog=1048576', 'maxMessageSize=64K'),
    'b:2: maxMessageSize=64K: must be a whole number from 10 to 268435456',
  );
  assert.is(
    refusal('brokerRole=MASTER', 'brokerId=1'),
    'b:1: brokerRole=MASTER: must be one of ASYNC_MASTER, SYNC_MASTER, SLAVE',
  );
});

rules('consume queue files hold whole entries', () => {
  expectWarning(
    ['mappedFileSizeConsumeQueue=300001'],
    'mappedFileSizeConsumeQueue',
    300_020,
    'b:1: mappedFileSizeConsumeQueue=300001: is not a multiple of 20; 300020 is used',
  );
});

rules('the disk ratio and the registration period are moved into their bounds', () => {
  const disk = 'diskMaxUsedSpaceRatio';
  expectWarning([`${disk}=99`], disk, 95, `b:1: ${disk}=99: is outside 10 to 95; 95 is used`);
  expectWarning([`${disk}=5`], disk, 10, `b:1: ${disk}=5: is outside 10 to 95; 10 is used`);
  const period = 'registerNameServerPeriod';
  expectWarning([`${period}=1000`], period, 10_000, `b:1: ${period}=1000: is outside 10000 to 60000; 10000 is used`);
});

rules('deleteWhen takes two-digit hours', () => {
  for (const good of ['04', '00;23', '04;16;']) assert.is(load(`deleteWhen=${good}`).config.deleteWhen, good);
  for (const bad of ['', '4', '24', '04,16', '04 ;16']) assert.match(refusal(`deleteWhen=${bad}`), 'two digits');
});

rules('rings and outgoing buffers grow to take the largest message', () => {
  assert.is(load('maxMessageSize=65536').config.ringCapacityBytes, 8_388_608);
  const loaded = load();
  assert.is(loaded.config.ringCapacityBytes, 16_777_216);
  assert.equal(loaded.warnings, []);
  expectWarning(
    ['ringCapacityBytes=8388608'],
    'ringCapacityBytes',
    16_777_216,
    'b:1: ringCapacityBytes=8388608: is too small for maxMessageSize; 16777216 is used',
  );
  assert.is(load('maxMessageSize=67108864').config.connectionOutboundBytesMax, 2 * (67_108_864 + 65_536));
});

rules('the commit log lies under the root unless configured, and in one directory', () => {
  assert.is(load('storePathRootDir=/data').config.storePathCommitLog, '/data/commitlog');
  assert.is(load('storePathRootDir=/data', 'storePathCommitLog=/log').config.storePathCommitLog, '/log');
  assert.match(refusal('storePathCommitLog=/a,/b'), 'one path without commas');
});

rules('disk levels in the wrong order are pointed out', () => {
  expectWarning(
    ['diskSpaceCleanForciblyRatio=95'],
    'diskSpaceCleanForciblyRatio',
    95,
    'b:1: diskSpaceCleanForciblyRatio=95: ' +
      'sends are refused (diskSpaceWarningLevelRatio) before files go (diskSpaceCleanForciblyRatio)',
  );
});

rules('a delay that is longer than the log is kept is pointed out', () => {
  const remark = 'a level is longer than the log is kept (fileReservedTime): its messages may be lost';
  assert.equal(load('messageDelayLevel=1s 72h').warnings, []);
  expectWarning(['messageDelayLevel=1s 4d'], 'messageDelayLevel', '1s 4d', `b:1: messageDelayLevel=1s 4d: ${remark}`);
  expectWarning(['fileReservedTime=1'], 'fileReservedTime', 1, `b:1: fileReservedTime=1: ${remark}`);
});

rules.run();
