/** Topics: the system's, the stored, the made. Source: spec storage 7, remoting 12.2, 12.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TopicTable, type TopicTableConfig } from '../../../../actors/coordinator/topic-table.js';
import { createTopicConfig, type TopicConfig } from '../../../../protocol/bodies/topic.js';
import { parseDialect } from '../../../../protocol/json-dialect.js';
import { JsonTable } from '../../../../storage/json-table.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { configFile, topicTableConfig } from './support.js';

/** The same with automatic creation switched off. */
function planWithout(table: TopicTable, ...args: [string, string, number, number, number]): TopicConfig | undefined {
  return table.planOnSend(args[0], args[1], args[2], args[3], false);
}

/** A first send as the coordinator handles it: planned, then stored. */
function createOnSend(table: TopicTable, ...args: [string, string, number, number, number]): TopicConfig | undefined {
  const [name, template, queues, topicSysFlag, nowMs] = args;
  const topic = table.planOnSend(name, template, queues, topicSysFlag, true);
  return topic && table.put(topic, nowMs);
}

const topics = suite('actors/coordinator/topic-table');

const nowMs = 1_700_000_000_000;

const open = (disk: MemoryDisk | FaultyDisk, config: Partial<TopicTableConfig> = {}): TopicTable =>
  new TopicTable(new JsonTable(disk, configFile('topics'), parseDialect), { ...topicTableConfig, ...config }, nowMs);

const shape = (table: TopicTable, name: string): number[] | undefined => {
  const topic = table.get(name);
  return topic && [topic.readQueueNums, topic.writeQueueNums, topic.perm];
};

topics('an empty store has the topics of the system', () => {
  const table = open(new MemoryDisk(), { traceTopicEnable: true });
  const expected: Record<string, number[]> = {
    TBW102: [8, 8, 7],
    SCHEDULE_TOPIC_XXXX: [18, 18, 6],
    SELF_TEST_TOPIC: [1, 1, 6],
    OFFSET_MOVED_EVENT: [1, 1, 6],
    BenchmarkTest: [1024, 1024, 6],
    RMQ_SYS_TRACE_TOPIC: [1, 1, 6],
    DefaultCluster: [16, 16, 7],
    'broker-a': [1, 1, 7],
    DefaultCluster_REPLY_TOPIC: [1, 1, 6],
    RMQ_SYS_TRANS_HALF_TOPIC: [1, 1, 6],
    RMQ_SYS_TRANS_OP_HALF_TOPIC: [1, 1, 6],
    TRANS_CHECK_MAX_TIME_TOPIC: [1, 1, 6],
  };
  for (const [name, values] of Object.entries(expected)) assert.equal(shape(table, name), values, name);
  assert.is([...table.all()].length, Object.keys(expected).length);
});

topics('the switches say which of them, and what they allow', () => {
  const table = open(new MemoryDisk(), {
    autoCreateTopicEnable: false,
    clusterTopicEnable: false,
    brokerTopicEnable: false,
    traceTopicEnable: false,
  });
  assert.equal([table.get('TBW102'), table.get('RMQ_SYS_TRACE_TOPIC')], [undefined, undefined]);
  assert.equal([shape(table, 'DefaultCluster')![2], shape(table, 'broker-a')![2]], [1, 1]);
});

topics('a first send makes a topic after its template', () => {
  const table = open(new MemoryDisk());
  createOnSend(table, 'A', 'TBW102', 4, 0, nowMs);
  assert.equal(shape(table, 'A'), [4, 4, 6]);
  createOnSend(table, 'B', 'TBW102', 100, 0, nowMs);
  assert.equal(shape(table, 'B'), [8, 8, 6], 'no more queues than the template');
  createOnSend(table, 'C', 'TBW102', -3, 0, nowMs);
  assert.equal(shape(table, 'C'), [0, 0, 6]);
  createOnSend(table, 'D', 'DefaultCluster', 12, 2, nowMs);
  assert.equal(shape(table, 'D'), [12, 12, 6]);
  assert.is(table.get('D')!.topicSysFlag, 2);
  createOnSend(table, 'E', 'broker-a', 4, 0, nowMs);
  assert.equal(shape(table, 'E'), [1, 1, 6]);
});

topics('a topic that inherits nothing is no template', () => {
  const table = open(new MemoryDisk());
  assert.is(createOnSend(table, 'A', 'SELF_TEST_TOPIC', 4, 0, nowMs), undefined);
  assert.is(createOnSend(table, 'A', 'Nothing', 4, 0, nowMs), undefined);
  assert.is(createOnSend(table, 'A', '', 4, 0, nowMs), undefined);
  assert.is(table.get('A'), undefined);
});

topics('without automatic creation nothing is made after TBW102, even when it is stored', () => {
  const disk = new MemoryDisk();
  open(disk).save();
  const table = open(disk, { autoCreateTopicEnable: false });
  assert.is(planWithout(table, 'A', 'TBW102', 4, 0, nowMs), undefined);
  assert.is(planWithout(table, 'A', 'TBW102', 4, 0, nowMs), undefined);
});

topics('everything is stored, and read back over the system topics', () => {
  const disk = new MemoryDisk();
  const table = open(disk);
  createOnSend(table, 'A', 'TBW102', 4, 1, nowMs + 5);
  table.put(
    createTopicConfig('BenchmarkTest', { readQueueNums: 3, writeQueueNums: 2, perm: 4, order: true }),
    nowMs + 6,
  );
  table.delete('TBW102', nowMs + 7);
  assert.equal(table.version, { counter: 3, timestamp: nowMs + 7 });
  const again = open(disk);
  assert.equal(shape(again, 'A'), [4, 4, 6]);
  assert.is(again.get('A')!.topicSysFlag, 1);
  assert.equal([shape(again, 'BenchmarkTest'), again.get('BenchmarkTest')!.order], [[3, 2, 4], true]);
  assert.equal(again.version, table.version);
  assert.is(again.get('TBW102')!.perm, 7, 'the system makes it anew');
});

topics('reads what a Java broker wrote', () => {
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  disk.writeText(
    configFile('topics'),
    `{\n\t"dataVersion":{\n\t\t"counter":12,\n\t\t"timestamp":1600000000000\n\t},\n\t"topicConfigTable":{\n\t\t"TopicTest":{\n\t\t\t"order":false,\n\t\t\t"perm":6,\n\t\t\t"readQueueNums":8,\n\t\t\t"topicFilterType":"SINGLE_TAG",\n\t\t\t"topicName":"TopicTest",\n\t\t\t"topicSysFlag":0,\n\t\t\t"writeQueueNums":4\n\t\t}\n\t}\n}`,
  );
  const table = open(disk);
  assert.equal(shape(table, 'TopicTest'), [8, 4, 6]);
  assert.equal(table.version, { counter: 12, timestamp: 1_600_000_000_000 });
  assert.ok(table.get('TBW102') !== undefined);
});

topics('what cannot be stored has not happened', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const table = open(disk);
  table.put(createTopicConfig('Kept', { perm: 6 }), nowMs);
  const { version } = table;
  disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.throws(() => createOnSend(table, 'A', 'TBW102', 4, 0, nowMs), /ENOSPC/);
  assert.throws(() => table.put(createTopicConfig('Kept', { perm: 4 }), nowMs), /ENOSPC/);
  assert.throws(() => table.delete('Kept', nowMs), /ENOSPC/);
  assert.equal([table.get('A'), table.get('Kept')!.perm, table.version], [undefined, 6, version]);
});

topics('topics are ordered while name servers say so', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  const table = open(disk);
  for (const name of ['A', 'B']) table.put(createTopicConfig(name), nowMs);
  const names = (ordered: string[]): string[] =>
    table.setOrdered(new Set(ordered), nowMs).map(({ topicName }) => topicName);
  assert.equal(names(['A', 'Nothing']), ['A']);
  const { version } = table;
  assert.equal([names(['A']), table.version], [[], version], 'nothing new');
  disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.throws(() => table.setOrdered(new Set(['B']), nowMs), /ENOSPC/);
  assert.equal([table.get('A')!.order, table.get('B')!.order, table.version], [true, false, version]);
  disk.faults.fail = () => undefined;
  assert.equal(names(['B']).sort(), ['A', 'B']);
  assert.equal(open(disk).get('B')!.order, true);
});

topics('deleting what is not there changes nothing', () => {
  const table = open(new MemoryDisk());
  table.delete('Nothing', nowMs);
  assert.is(table.version.counter, 0);
});

topics.run();
