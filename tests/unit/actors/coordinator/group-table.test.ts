/** Subscription groups. Source: spec storage 7, remoting 12.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GroupTable } from '../../../../actors/coordinator/group-table.js';
import { createSubscriptionGroupConfig } from '../../../../protocol/bodies/group.js';
import { parseDialect } from '../../../../protocol/json-dialect.js';
import { JsonTable } from '../../../../storage/json-table.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { configFile } from './support.js';

const groups = suite('actors/coordinator/group-table');
const nowMs = 1_700_000_000_000;

const open = (disk: MemoryDisk): GroupTable =>
  new GroupTable(new JsonTable(disk, configFile('subscriptionGroup'), parseDialect), nowMs);

groups('the groups of the system are there from the start', () => {
  const names = [...open(new MemoryDisk()).all()].map(group => group.groupName).sort();
  assert.equal(names, [
    'CID_ONS-HTTP-PROXY',
    'CID_ONSAPI_OWNER',
    'CID_ONSAPI_PERMISSION',
    'CID_ONSAPI_PULL',
    'FILTERSRV_CONSUMER',
    'SELF_TEST_C_GROUP',
    'TOOLS_CONSUMER',
  ]);
});

groups('a first use makes a group, where that is allowed', () => {
  const table = open(new MemoryDisk());
  assert.is(table.findOrCreate('G', false, nowMs), undefined);
  assert.is(table.findOrCreate('', true, nowMs), undefined);
  const made = table.findOrCreate('G', true, nowMs)!;
  assert.equal([made.consumeEnable, made.retryMaxTimes, made.retryQueueNums, made.brokerId], [true, 16, 1, 0]);
  assert.is(table.findOrCreate('G', false, nowMs), made, 'it is there now');
  assert.ok(table.findOrCreate('CID_RMQ_SYS_x', false, nowMs) !== undefined, 'the system may always');
});

groups('is stored and read back', () => {
  const disk = new MemoryDisk();
  const table = open(disk);
  table.findOrCreate('G', true, nowMs);
  table.put(createSubscriptionGroupConfig('H', { consumeEnable: false, retryMaxTimes: 3 }), nowMs + 1);
  assert.is(table.delete('G', nowMs + 2), true);
  assert.is(table.delete('G', nowMs + 3), false);
  const again = open(disk);
  assert.is(again.get('G'), undefined);
  assert.equal([again.get('H')!.consumeEnable, again.get('H')!.retryMaxTimes], [false, 3]);
  assert.equal(again.wrapper().dataVersion, { counter: 3, timestamp: nowMs + 2 });
  assert.ok(again.get('TOOLS_CONSUMER') !== undefined);
});

groups.run();
