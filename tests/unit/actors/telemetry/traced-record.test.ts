import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TracedRecordReader } from '../../../../actors/telemetry/traced-record.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder, type RecordParts } from '../../../support/record-builder.js';

const traced = suite('actors/telemetry/traced-record');

const SEGMENT = 1024 * 1024;
const folder = '/store/commitlog';

function rig() {
  const disk = new MemoryDisk();
  const log = new LogBuilder(disk, folder, SEGMENT);
  return { log, reader: new TracedRecordReader(new CommitLogReader(disk, folder, SEGMENT)) };
}

const ipv6 = Array.from({ length: 16 }, (_, index) => index);

const shapes: Readonly<Record<string, RecordParts>> = {
  plain: {},
  'without a body': { body: new Uint8Array(0) },
  'a large body': { body: new Uint8Array(300_000).fill(7) },
  'a topic of 5.x': { version: 2, topic: 'T'.repeat(300) },
  'hosts of IPv6': { bornAddress: ipv6, storeAddress: ipv6 },
  'many properties': {
    properties: Array.from({ length: 400 }, (_, index) => `name${index}\u0001value`).join('\u0002'),
  },
};

for (const [name, parts] of Object.entries(shapes)) {
  traced(`${name}: all but the body is read`, () => {
    const { log, reader } = rig();
    log.append({});
    const { start, end } = log.append({ queueId: 3, queueOffset: 9, topic: 'Orders', ...parts });
    log.append({});
    const record = reader.read(start)!;
    assert.equal([record.topic, record.queueId, record.queueOffset], [parts.topic ?? 'Orders', 3, 9]);
    assert.equal([record.physicalOffset, record.totalSize], [start, end - start]);
    assert.is(record.bodySize, (parts.body ?? Buffer.from('hello')).length);
    assert.is(record.storePort, 10_911);
    assert.is(record.bornAddress, parts.bornAddress === undefined ? 0x0a000001 : 0);
    assert.is(record.properties.get(parts.properties === undefined ? 'TAGS' : 'name399') !== undefined, true);
  });
}

traced('where no record begins, there is none', () => {
  const { log, reader } = rig();
  const { start, end } = log.append({});
  log.append({});
  for (let position = start + 1; position < end; position++) assert.is(reader.read(position), undefined);
  assert.is(reader.read(log.end), undefined);
  assert.is(reader.read(50 * SEGMENT), undefined, 'a file that is gone');
});

traced('bytes at random are no record, and no failure', () => {
  const { log, reader } = rig();
  const { start } = log.append({ body: new Prng(3).bytes(50_000) });
  for (let position = start + 1; position < start + 50_000; position += 7) assert.is(reader.read(position), undefined);
});

traced.run();
