/** Expressions of groups and their file. Source: spec storage 7; ConsumerFilterManager. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FilterTable } from '../../../../actors/coordinator/filter-table.js';
import type { SubscriptionData } from '../../../../protocol/bodies.js';
import { parseDialect } from '../../../../protocol/json-dialect.js';
import { BloomBits } from '../../../../protocol/sql-filter.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { JsonTable } from '../../../../storage/json-table.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { configFile } from './support.js';

const filters = suite('actors/coordinator/filter-table');

const nowMs = 1_800_000_000_000;
const dayMs = 86_400_000;

const open = (disk: MemoryDisk | FaultyDisk, atMs = nowMs, bits = new BloomBits(20, 32)): FilterTable =>
  new FilterTable(new JsonTable(disk, configFile('consumerFilter'), parseDialect), bits, atMs, silentLogger);

const subscriptionOf = (
  topic: string,
  subString: string,
  subVersion: number,
  expressionType = 'SQL92',
): SubscriptionData => ({
  topic,
  subString,
  subVersion,
  expressionType,
  tagsSet: [],
  codeSet: [],
  classFilterMode: false,
});

const storedOf = (
  table: FilterTable,
  topic = 'T',
): Record<string, { dead: boolean; deadTime: number; bornTime: number }> => {
  const { filterDataByTopic } = table.toObject() as { filterDataByTopic: Record<string, { groupFilterData: never }> };
  return filterDataByTopic[topic]?.groupFilterData ?? {};
};

filters('keeps the expression of the newest version, and says when pull lanes should know', () => {
  const table = open(new MemoryDisk());
  const say = (expression: string, version: number, type?: string): boolean =>
    table.register('G', [subscriptionOf('T', expression, version, type)], nowMs);
  const current = (): unknown => table.of('G')?.map(({ expression, clientVersion }) => [expression, clientVersion]);
  assert.is(table.of('G'), undefined);
  assert.is(say('a > 5', 10), true);
  assert.equal(table.of('G'), [{ topic: 'T', expression: 'a > 5', expressionType: 'SQL92', clientVersion: 10 }]);
  assert.is(say('a > 6', 10), false, 'no newer version');
  assert.is(say('a > 6', 9), false);
  assert.equal(current(), [['a > 5', 10]]);
  assert.is(say('a > 5', 11), true);
  assert.equal(current(), [['a > 5', 11]]);
  assert.is(say('*', 12, 'TAG'), false, 'tags are no expression');
  assert.is(say('', 12), false);
  assert.equal(current(), [['a > 5', 11]], 'which leaves the old one');
  assert.is(say('a >', 13), true);
  assert.is(table.of('G'), undefined, 'and what is none takes it away');
  assert.is(say('a >', 14), false);
  assert.is(say('a', 15, 'XPATH'), false);
  assert.is(say('a', 15), true);
});

filters('a filter dies with its group or its subscription, and lives again with them', () => {
  const table = open(new MemoryDisk());
  const both = [subscriptionOf('T', 'a', 1), subscriptionOf('U', 'a', 1)];
  const dead = (): boolean[] => ['T', 'U'].map(topic => storedOf(table, topic).G!.dead);
  table.register('G', both, nowMs);
  assert.equal(dead(), [false, false]);
  table.register('G', both.slice(0, 1), nowMs + 1);
  assert.equal(dead(), [false, true]);
  table.unregister('G', nowMs + 2);
  assert.equal([storedOf(table).G!.deadTime, storedOf(table, 'U').G!.deadTime], [nowMs + 2, nowMs + 1]);
  assert.is(table.of('G')!.length, 2, 'pulls may still ask for it');
  table.register('G', both, nowMs + 3);
  assert.equal(dead(), [false, false]);
  table.unregister('H', nowMs + 4);
  assert.equal(dead(), [false, false]);
});

filters('the dead are forgotten after a while', () => {
  const table = open(new MemoryDisk());
  table.register('G', [subscriptionOf('T', 'a', 1)], nowMs);
  table.register('H', [subscriptionOf('T', 'a', 1)], nowMs);
  table.unregister('G', nowMs);
  assert.equal([...table.clean(nowMs + dayMs - 1, dayMs)], []);
  assert.equal([...table.clean(nowMs + dayMs, dayMs)], ['G']);
  assert.equal([table.of('G'), table.of('H')?.length], [undefined, 1]);
});

filters('is stored as Java stores it, and read back with everybody dead', () => {
  const disk = new MemoryDisk();
  const table = open(disk);
  table.register('G', [subscriptionOf('T', 'a > 5', 10)], nowMs);
  table.save();
  const stored = JSON.parse(disk.readText(configFile('consumerFilter'))!);
  const filter = {
    bloomFilterData: { bitNum: 112, bitPos: [24, 26, 83] },
    bornTime: nowMs,
    clientVersion: 10,
    consumerGroup: 'G',
    dead: false,
    deadTime: 0,
    expression: 'a > 5',
    expressionType: 'SQL92',
    topic: 'T',
  };
  assert.equal(stored, { filterDataByTopic: { T: { groupFilterData: { G: filter }, topic: 'T' } } });
  const later = open(disk, nowMs + 100_000);
  assert.is(storedOf(later).G!.deadTime, nowMs + 70_000);
  assert.equal(later.of('G'), table.of('G'));
  const sooner = open(disk, nowMs + 10);
  assert.equal([storedOf(sooner).G!.deadTime, storedOf(sooner).G!.dead], [nowMs, true], 'not before it was born');
  assert.is(sooner.register('G', [subscriptionOf('T', 'a > 5', 10)], nowMs + 11), false);
  assert.is(storedOf(sooner).G!.dead, false);
});

filters('reads the file of a Java broker, and only what it can use of it', () => {
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  const data = (group: string, expression: string, type = 'SQL92', bits = '[24,26,83]'): string =>
    `"${group}":{\n"bloomFilterData":{"bitNum":112,"bitPos":${bits}},"bornTime":1795636142642,"clientVersion":300,` +
    `"consumerGroup":"${group}","dead":true,"deadTime":1795636142659,"expression":"${expression}","expressionType":"${type}","topic":"T"}`;
  const file = (...all: string[]): string =>
    `{\n\t"filterDataByTopic":{"T":{"groupFilterData":{${all.join()}},"topic":"T"},"U":null}\n}`;
  disk.writeText(configFile('consumerFilter'), file(data('G', 'a > 8'), data('H', 'a >'), data('I', 'a', 'XPATH')));
  const table = open(disk);
  assert.equal(Object.keys(storedOf(table)), ['G']);
  assert.is(storedOf(table).G!.deadTime, 1_795_636_142_659);
  assert.is(open(disk, nowMs, new BloomBits(20, 64)).of('G'), undefined, 'other settings: nothing is used');
  disk.writeText(configFile('consumerFilter'), file(data('G', 'a > 8', 'SQL92', '[1]')));
  assert.is(open(disk).of('G'), undefined);
  disk.writeText(configFile('consumerFilter'), '{"filterDataByTopic":[]}');
  assert.is(open(disk).of('G'), undefined);
});

filters('writes only what changed, and tries again what it could not write', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const table = open(disk);
  table.register('G', [subscriptionOf('T', 'a >', 1)], nowMs);
  table.save();
  assert.is(disk.readText(configFile('consumerFilter')), undefined);
  table.register('G', [subscriptionOf('T', 'a', 1)], nowMs);
  disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.throws(() => table.save(), /ENOSPC/);
  delete disk.faults.fail;
  table.save();
  assert.is(open(disk).of('G')!.length, 1);
});

filters.run();
