/** What a store is after it was opened. Source: spec storage 6, 10. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allocateLaneCounts, allocateStatistics, Workshop } from '../../../../actors/node/memory.js';
import { Store } from '../../../../actors/node/store.js';
import { QueueTable } from '../../../../actors/queue-table.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { TraceSwitch } from '../../../../runtime/trace/recorder.js';
import { TracedMessages } from '../../../../runtime/trace/traced-messages.js';
import { probeOf } from '../../../support/dead-owner.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { buildUnit, LogBuilder, writeStream } from '../../../support/record-builder.js';

const store = suite('actors/node/store');

const segmentSize = 16 * 1024;
const logFolder = '/store/commitlog';

interface Opened {
  readonly store: Store;
  readonly shop: Workshop;
}

function makeShop(): Workshop {
  return new Workshop({
    rings: {},
    bells: {},
    counters: {},
    waits: {},
    recorders: {},
    traceSwitch: new TraceSwitch().memory,
    tracedMessages: new TracedMessages().memory,
    positions: new Positions().memory,
    storeState: new SharedFlags().memory,
    queueTable: new QueueTable().memory,
    statistics: allocateStatistics([]),
    threadOf: {},
    threadingMode: 'inline',
    laneCounts: allocateLaneCounts([]),
    actors: [],
  });
}

const config = {
  storePathRootDir: '/store',
  storePathCommitLog: logFolder,
  mappedFileSizeCommitLog: segmentSize,
  mappedFileSizeConsumeQueue: 20 * 20,
  checkCRCOnRecover: true,
  messageDelayLevel: '1s 5s 10s',
  messageIndexEnable: true,
  maxHashSlotNum: 50,
  maxIndexNum: 200,
};

function open(disk: MemoryDisk | FaultyDisk, memory: MemoryDisk): Opened {
  const shop = makeShop();
  return { store: Store.open(disk, probeOf(memory), config, shop, silentLogger, { state: '', send: () => {} }), shop };
}

/** A log of several files that no sync has seen, as a kill leaves it in the page cache. */
function killedStore(messages: number): { memory: MemoryDisk; log: LogBuilder } {
  const memory = new MemoryDisk();
  memory.makeFolder('/store');
  memory.writeText('/store/abort', '1');
  const log = new LogBuilder(memory, logFolder, segmentSize);
  for (let offset = 0; offset < messages; offset++) {
    log.append({
      topic: 'T',
      queueOffset: offset,
      body: new Uint8Array(1000).fill(offset),
      storeTimestamp: 1_700_000_000_000 + offset,
    });
  }
  return { memory, log };
}

const contentOf = (memory: MemoryDisk): string[] =>
  memory.list(logFolder).map(name => Buffer.from(memory.bytes(`${logFolder}/${name}`)).toString('hex'));

store('an empty folder is an empty store', () => {
  const memory = new MemoryDisk();
  const { store: opened, shop } = open(memory, memory);
  for (const name of ['minimum', 'appended', 'flushed', 'dispatched'] as const)
    assert.is(shop.positions.read(name), 0, name);
  assert.is(opened.queueOffsets.length, 0);
  assert.is(memory.facts('/store/abort'), undefined, 'not open before it serves');
  opened.markOpen();
  assert.ok(memory.facts('/store/abort') !== undefined);
  opened.markClosed();
  opened.release();
  assert.equal([memory.facts('/store/abort'), memory.facts('/store/lock.pid')], [undefined, undefined]);
});

store('opened again for other rooms it is as it was left, with what was written meanwhile', () => {
  const { memory, log } = killedStore(40);
  const { store: opened, shop } = open(memory, memory);
  const lastWriteOffset = log.end;
  // What the rooms would have written: their last write fills a file up and goes on in the next one.
  let last = 0;
  for (let offset = 40; offset < 60; offset++) {
    const record = { topic: 'T', queueOffset: offset, body: new Uint8Array(1000), storeTimestamp: 1_700_000_000_000 };
    last = log.append(record).start;
  }
  shop.positions.publish('appended', log.end);
  shop.queueTable.publishMax(opened.numbers.find('T', 0), 60);
  const more = opened.numbers.of('Later', 1)[0]!;
  shop.queueTable.publishMax(more, 7);
  const before = { '/store/abort': memory.facts('/store/abort'), lock: memory.facts('/store/lock.pid') };
  const left = { store: opened, shop, queueNumbers: opened.numbers.entries(), lastWriteOffset };
  const next = makeShop();
  const again = Store.openAgain(left, config, next, { state: '', send: () => {} });
  assert.ok(again === opened);
  assert.equal(
    (['minimum', 'appended', 'flushed', 'dispatched'] as const).map(name => next.positions.read(name)),
    [0, log.end, log.end, log.end],
  );
  assert.is(again.lastRecordOffset, last);
  assert.equal([next.queueTable.max(again.numbers.find('T', 0)), next.queueTable.max(more)], [60, 7]);
  assert.equal([again.queueOffsets[again.numbers.find('T', 0)], again.queueOffsets[more]], [60, 7]);
  assert.equal({ '/store/abort': memory.facts('/store/abort'), lock: memory.facts('/store/lock.pid') }, before);
});

store('it is not opened again when its last records do not lead to its end', () => {
  const { memory, log } = killedStore(10);
  const { store: opened, shop } = open(memory, memory);
  shop.positions.publish('appended', log.end + 100);
  const left = { store: opened, shop, queueNumbers: [], lastWriteOffset: -1 };
  assert.is(Store.openAgain(left, config, makeShop(), { state: '', send: () => {} }), undefined);
  assert.is(memory.facts('/store/lock.pid'), undefined, 'so that it can be opened like any other');
});

store('after a kill everything that was written is there, queues and offsets too', () => {
  const { memory, log } = killedStore(60);
  const { store: opened, shop } = open(memory, memory);
  assert.equal([shop.positions.read('appended'), shop.positions.read('dispatched')], [log.end, log.end]);
  const number = opened.numbers.find('T', 0);
  assert.equal([shop.queueTable.min(number), shop.queueTable.max(number), opened.queueOffsets[number]], [0, 60, 60]);
});

store('a topic that was deleted and made again before the kill has what came since, and nothing else', () => {
  // Offsets begin anew when the broker was restarted between the two.
  for (const kept of [0, 1, 2]) {
    const { memory, log } = killedStore(4);
    const starts = [0, 1, 2].map(
      offset => log.append({ topic: 'T', queueOffset: offset, storeTimestamp: 1_700_000_001_000 + offset }).start,
    );
    const sizes = starts.map((start, index) => (starts[index + 1] ?? log.end) - start);
    const units = starts.slice(0, kept).map((start, index) => buildUnit(start, sizes[index]!, 7n));
    if (kept > 0) writeStream(memory, '/store/consumequeue/T/0', 20 * 20, 0, Buffer.concat(units));
    const { store: opened, shop } = open(memory, memory);
    const number = opened.numbers.find('T', 0);
    assert.equal([shop.queueTable.min(number), shop.queueTable.max(number)], [0, 3], `${kept} entries are there`);
    const found = [0, 1, 2].map(entry =>
      Number(Buffer.from(memory.bytes('/store/consumequeue/T/0/00000000000000000000')).readBigInt64BE(entry * 20)),
    );
    assert.equal(found, starts);
    opened.release();
  }
});

store('what the flushed position covers after a kill survives a power failure, over all files', () => {
  const { memory } = killedStore(60);
  const { shop } = open(memory, memory);
  assert.ok(memory.list(logFolder).length > 3);
  const before = contentOf(memory);
  memory.crash(1);
  const flushed = shop.positions.read('flushed');
  const whole = Math.floor(flushed / segmentSize);
  assert.ok(whole >= 3);
  const after = contentOf(memory);
  for (let file = 0; file < whole; file++)
    assert.ok(after[file] === before[file], `file ${file} of ${whole} below the flushed position`);
});

store('what consume queues and checkpoint say after they were rebuilt survives a power failure', () => {
  const { memory, log } = killedStore(120);
  const first = open(memory, memory);
  const syncAll = (): void => first.store.syncLog(0, log.end);
  syncAll();
  first.store.markOpen();
  memory.crash(3);
  memory.remove('/store/lock.pid');
  const { store: opened, shop } = open(memory, memory);
  const number = opened.numbers.find('T', 0);
  assert.equal([shop.positions.read('dispatched'), shop.queueTable.max(number)], [log.end, 120]);
  const entries = memory.list('/store/consumequeue/T/0').flatMap(name => {
    const bytes = Buffer.from(memory.bytes(`/store/consumequeue/T/0/${name}`));
    return Array.from({ length: bytes.length / 20 }, (_, index) => Number(bytes.readBigInt64BE(index * 20)));
  });
  assert.equal(
    entries.slice(0, 120),
    log.records.map(record => record.start),
  );
});

store('a disk that cannot build the queues stops the opening, and the folder is given back', () => {
  const { memory, log } = killedStore(60);
  const disk = new FaultyDisk(memory);
  disk.faults.fail = (call, path) => (call === 'write' && path.includes('/consumequeue/') ? 'ENOSPC' : undefined);
  assert.throws(
    () => open(disk, memory),
    (error: { code: string }) => error.code === 'DISK_WRITE_FAILED',
  );
  assert.is(memory.facts('/store/lock.pid'), undefined);
  delete disk.faults.fail;
  assert.is(open(disk, memory).shop.positions.read('dispatched'), log.end);
});

store('a hole in the middle of the log is said to be one: STORE_CORRUPT, not a bug', () => {
  const { memory } = killedStore(60);
  const first = open(memory, memory);
  first.store.markOpen();
  first.store.release();
  // The second file has lost a page; only the newest are read back, by the checkpoint.
  memory.bytes(`${logFolder}/${memory.list(logFolder)[1]}`).fill(0, 4096, 8192);
  memory.remove('/store/consumequeue');
  try {
    const { shop } = open(memory, memory);
    assert.ok(shop.positions.read('appended') <= segmentSize + 8192, 'or it is cut there');
  } catch (error) {
    assert.is((error as { code?: string }).code, 'STORE_CORRUPT', String(error));
  }
});

store.run();
