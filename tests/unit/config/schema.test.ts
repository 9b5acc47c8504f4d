import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  brokerSchema,
  formatIssue,
  loadBrokerConfig,
  loadNamesrvConfig,
  namesrvSchema,
  presetFile,
  presetNames,
  renderReference,
} from '../../../config/index.js';
import { editDistance, nearest } from '../../../config/nearest.js';
import { parseValue } from '../../../config/values.js';
import { machine, readText } from './support.js';

const schemas = suite('config: tables, presets, reference');

schemas('every default is a value its own key accepts', () => {
  for (const cores of [1, 2, 64]) {
    for (const { name, key } of [...brokerSchema.rows, ...namesrvSchema.rows]) {
      const preset = typeof key.default === 'function' ? key.default({ ...machine, cores }) : key.default;
      assert.equal(parseValue(key, String(preset)), { ok: true, value: preset }, name);
    }
  }
});

schemas('a default that is worked out is also said in words', () => {
  for (const { name, key } of [...brokerSchema.rows, ...namesrvSchema.rows]) {
    if (typeof key.default === 'function') assert.type(key.defaultWords, 'string', name);
  }
});

schemas('what does nothing does not claim to change at run time', () => {
  for (const { name, key } of brokerSchema.rows) {
    if (key.effect !== 'active') assert.not(key.hot, name);
  }
  for (const name of ['brokerRole', 'flushDiskType', 'listenPort', 'storePathRootDir']) {
    assert.not(brokerSchema.byName.get(name)!.hot, name);
  }
});

for (const name of presetNames) {
  schemas(`preset ${name} loads without a remark`, () => {
    const file = presetFile(name)!;
    const load = name === 'namesrv' ? loadNamesrvConfig : loadBrokerConfig;
    assert.equal(load({ file, readText, machine }).warnings.map(formatIssue), []);
  });
}

schemas('an unknown preset is none', () => {
  assert.is(presetFile('2m-2s-sync/broker-c'), undefined);
  assert.is(presetFile('toString'), undefined);
});

schemas('the presets of RocketMQ have its keys and values', () => {
  const expected = [
    ['2m-noslave/broker-b', 'broker-b', 0, 'ASYNC_MASTER'],
    ['2m-2s-async/broker-a', 'broker-a', 0, 'ASYNC_MASTER'],
    ['2m-2s-async/broker-a-s', 'broker-a', 1, 'SLAVE'],
    ['2m-2s-sync/broker-b', 'broker-b', 0, 'SYNC_MASTER'],
    ['2m-2s-sync/broker-b-s', 'broker-b', 1, 'SLAVE'],
  ] as const;
  for (const [name, brokerName, brokerId, brokerRole] of expected) {
    const loaded = loadBrokerConfig({ file: presetFile(name)!, readText, machine });
    const given = Object.entries(loaded.config).filter(([key]) => loaded.source(key) === 'file');
    assert.equal(Object.fromEntries(given), {
      brokerClusterName: 'DefaultCluster',
      brokerName,
      brokerId,
      deleteWhen: '04',
      fileReservedTime: 48,
      brokerRole,
      flushDiskType: 'ASYNC_FLUSH',
    });
  }
});

schemas('the standalone preset stays on this machine', () => {
  const { config } = loadBrokerConfig({ file: presetFile('standalone')!, readText, machine });
  assert.equal(
    [config.bindAddress, config.brokerIP1, config.namesrvAddr],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1:9876'],
  );
  assert.equal([config.listenPort, config.namesrvListenPort, config.flushDiskType], [10_911, 9876, 'SYNC_FLUSH']);
});

schemas('docs/configuration.md is what the tables say', () => {
  assert.is(readText('docs/configuration.md'), renderReference());
});

schemas('words are near when few letters differ, in any letter case', () => {
  assert.is(editDistance('brokerNaem', 'brokerName'), 1);
  assert.is(editDistance('', 'abc'), 3);
  assert.is(editDistance('kitten', 'sitting'), 3);
  assert.is(nearest('LISTENPORT', ['listenPort', 'haListenPort']), 'listenPort');
  assert.is(nearest('xyz', ['listenPort']), undefined);
});

schemas.run();
