import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BrokerConfig,
  formatConfig,
  type LoadedConfig,
  loadBrokerConfig,
  loadNamesrvConfig,
  persistedText,
  printConfig,
  updateConfig,
} from '../../../config/index.js';
import { articleMaster, machine } from './support.js';

const updating = suite('config: printing and changes at run time');

const load = (content: string) => loadBrokerConfig({ text: { name: 'b.properties', content }, machine });

function updated(current: LoadedConfig<BrokerConfig>, text: string) {
  const outcome = updateConfig(current, text);
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome)}`);
  return outcome;
}

updating('a change is applied, and what waits for a restart is named', () => {
  const before = load(articleMaster);
  const outcome = updated(before, 'fileReservedTime=48\nlistenPort=20911\nbrokerName=broker-a\n');
  assert.equal(outcome.changed, ['listenPort', 'fileReservedTime', 'haListenPort']);
  assert.equal(outcome.notHot, ['listenPort', 'haListenPort']);
  assert.equal(outcome.warnings, []);
  assert.is(outcome.config.fileReservedTime, 48);
  assert.is(outcome.loaded.source('fileReservedTime'), 'update');
  assert.is(before.config.fileReservedTime, 120);
});

updating('later changes keep earlier ones and win over flags', () => {
  const start = loadBrokerConfig({ set: { fileReservedTime: '1' }, machine });
  const first = updated(start, 'fileReservedTime=2\nwaitTimeMillsInSendQueue=300');
  const second = updated(first.loaded, 'fileReservedTime=3');
  assert.equal(second.changed, ['fileReservedTime']);
  assert.equal([second.config.fileReservedTime, second.config.waitTimeMillsInSendQueue], [3, 300]);
});

updating('the black list forbids the whole change', () => {
  const current = load('configBlackList=fileReservedTime');
  assert.equal(updateConfig(current, 'deleteWhen=05\nfileReservedTime=1'), {
    ok: false,
    forbidden: ['fileReservedTime'],
  });
  assert.equal(updateConfig(current, 'configBlackList=\nbrokerConfigPath=x'), {
    ok: false,
    forbidden: ['configBlackList', 'brokerConfigPath'],
  });
  const namesrv = loadNamesrvConfig({ machine });
  assert.equal(updateConfig(namesrv, 'kvConfigPath=/x'), { ok: false, forbidden: ['kvConfigPath'] });
});

updating('an alias does not slip past the black list', () => {
  const current = load('configBlackList=mappedFileSizeCommitLog');
  assert.equal(updateConfig(current, 'mapedFileSizeCommitLog=1'), { ok: false, forbidden: ['mapedFileSizeCommitLog'] });
});

updating('bad values refuse the whole change, with every issue', () => {
  const outcome = updateConfig(load(''), 'fileReservedTime=1\nbrokerPermission=x\nflushDiskType=sync_flush');
  assert.not(outcome.ok);
  assert.equal('issues' in outcome && outcome.issues.map(({ key, message }) => `${key} ${message}`), [
    'brokerPermission must be one of 0, 2, 4, 6',
    'flushDiskType must be one of ASYNC_FLUSH, SYNC_FLUSH; did you mean SYNC_FLUSH?',
  ]);
});

updating('unknown keys are left out unless the file had them', () => {
  const outcome = updated(load('myKey=1'), 'myKey=2\nyourKey=3\ntoString=4');
  assert.equal(outcome.loaded.unknownKeys, { myKey: '2' });
  assert.equal(
    outcome.warnings.map(({ key }) => key),
    ['yourKey', 'toString', 'myKey'],
  );
});

updating('what is kept in the file keeps its comments and order', () => {
  const file = '# mine\nfileReservedTime = 72\n! sizes\nmapedFileSizeConsumeQueue=400\nregionId=a\\\n  b\nbrokerName=x';
  const first = updated(load(file), 'mappedFileSizeConsumeQueue=600\nfileReservedTime=48\ndeleteWhen=05\nregionId=c');
  const kept = persistedText(first.loaded);
  assert.is(
    kept,
    '# mine\nfileReservedTime=48\n! sizes\nmappedFileSizeConsumeQueue=600\nregionId=c\nbrokerName=x\ndeleteWhen=05\n',
  );
  assert.equal(load(kept).config, first.config);
  assert.is(persistedText(load(file)), file);
});

updating('GET_BROKER_CONFIG shows every key in order of declaration, then unknown ones', () => {
  const lines = formatConfig(load('zzz=1').config, { zzz: '1' }).split('\n');
  assert.is(lines[0], 'rocketmqHome=');
  assert.ok(lines.includes('brokerName=host-1'));
  assert.ok(lines.indexOf('brokerName=host-1') < lines.indexOf('listenPort=10911'));
  assert.ok(lines.indexOf('listenPort=10911') < lines.indexOf('storePathRootDir=/home/tester/store'));
  assert.equal(lines.slice(-2), ['zzz=1', '']);
});

updating('that text loads to the same configuration', () => {
  const loaded = load(articleMaster);
  const again = load(loaded.text());
  assert.equal(again.config, loaded.config);
  assert.equal(again.unknownKeys, loaded.unknownKeys);
});

updating('any text survives being formatted and loaded', () => {
  const value = fc.string({ unit: 'binary', maxLength: 20 }).filter(text => !text.includes('\uFEFF'));
  fc.assert(
    fc.property(value, rmqAddressServerSubGroup => {
      const { config } = loadBrokerConfig({ set: { rmqAddressServerSubGroup }, machine });
      assert.is(load(formatConfig(config)).config.rmqAddressServerSubGroup, rmqAddressServerSubGroup);
    }),
    { numRuns: 200 },
  );
});

updating('-p prints all values, -m the important ones, both as they are', () => {
  const { config } = load('storePathRootDir=C:\\\\data');
  assert.match(printConfig(config), '\nstorePathRootDir=C:\\data\n');
  assert.match(printConfig(config), '\nlistenPort=10911\n');
  const important = printConfig(config, { importantOnly: true });
  assert.match(important, /^namesrvAddr=\nbrokerIP1=\nbrokerName=host-1\n/);
  assert.not.match(important, 'listenPort=');
});

updating.run();
