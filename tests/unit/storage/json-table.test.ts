import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../runtime/base/errors.js';
import { JsonTable } from '../../../storage/json-table.js';
import { FaultyDisk, MemoryDisk, PowerFailure } from '../../support/faulty-disk.js';

const tables = suite('storage/json-table');
const path = '/store/config/consumerOffset.json';

/** Accepts unquoted integer keys, as fastjson writes them. */
const parse = (text: string): unknown => JSON.parse(text.replace(/([{,]\s*)(\d+):/g, '$1"$2":'));
const tableOn = (disk: MemoryDisk | FaultyDisk): JsonTable => new JsonTable(disk, path, parse);

tables('a written table is read back, indented by tabs, keys quoted', () => {
  const disk = new MemoryDisk();
  const value = { offsetTable: { 'T@G': { 0: 120, 1: 118 } } };
  tableOn(disk).write(value);
  assert.is(disk.readText(path), '{\n\t"offsetTable": {\n\t\t"T@G": {\n\t\t\t"0": 120,\n\t\t\t"1": 118\n\t\t}\n\t}\n}');
  assert.equal(tableOn(disk).read(), { value, from: 'file' });
  assert.equal(disk.list('/store/config'), ['consumerOffset.json']);
});

tables('what fastjson wrote is read', () => {
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  disk.writeText(path, '{\n\t"offsetTable":{"T@G":{0:25,1:30\n\t\t}\n\t}\n}');
  assert.equal(tableOn(disk).read().value, { offsetTable: { 'T@G': { 0: 25, 1: 30 } } });
});

tables('nothing there: the table starts empty', () => {
  assert.is(tableOn(new MemoryDisk()).read().from, 'nothing');
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  disk.writeText(path, '');
  assert.is(tableOn(disk).read().from, 'nothing');
});

tables('the backup stands in for a file that is missing, empty or broken', () => {
  for (const damage of [undefined, '', ' \n', '{"a":']) {
    const disk = new MemoryDisk();
    const table = tableOn(disk);
    table.write({ version: 1 });
    table.write({ version: 2 });
    disk.remove(path);
    if (damage !== undefined) disk.writeText(path, damage);
    const loaded = tableOn(disk).read();
    assert.equal(loaded.value, { version: 1 });
    assert.is(loaded.from, 'backup');
    assert.match(loaded.problem!, path);
  }
});

tables('a broken file does not become the backup', () => {
  const disk = new MemoryDisk();
  const table = tableOn(disk);
  table.write({ version: 1 });
  table.write({ version: 2 });
  disk.writeText(path, '{"version":');
  table.write({ version: 3 });
  assert.equal(tableOn(disk).read().value, { version: 3 });
  assert.equal(parse(disk.readText(`${path}.bak`)!), { version: 1 });
});

tables('broken and without a usable backup: refused rather than emptied', () => {
  for (const backup of [undefined, '', '[1,']) {
    const disk = new MemoryDisk();
    disk.makeFolder('/store/config');
    disk.writeText(path, '{"a":');
    if (backup !== undefined) disk.writeText(`${path}.bak`, backup);
    assert.throws(
      () => tableOn(disk).read(),
      (error: RingError) => error.code === 'STORE_CORRUPT',
    );
  }
});

tables('the same text is not written again', () => {
  const disk = new MemoryDisk();
  const table = tableOn(disk);
  table.write({ version: 1 });
  disk.nowMs += 1000;
  table.write({ version: 1 });
  assert.is(disk.facts(path)!.modifiedMs, disk.nowMs - 1000);
  table.write({ version: 2 });
  assert.is(disk.facts(path)!.modifiedMs, disk.nowMs);
});

tables('losing power at any step leaves the old table or the new one in the file itself', () => {
  const base = new MemoryDisk();
  tableOn(base).write({ version: 1 });
  tableOn(base).write({ version: 2 });
  const outcomes = new Set<unknown>();
  let finished = false;
  for (let powerChanges = 0; !finished; powerChanges++) {
    const disk = base.clone();
    try {
      tableOn(new FaultyDisk(disk, { powerChanges })).write({ version: 3 });
      finished = true;
    } catch (error) {
      if (!(error instanceof PowerFailure)) throw error;
    }
    disk.crash(powerChanges);
    const loaded = tableOn(disk).read();
    assert.is(loaded.from, 'file');
    outcomes.add((loaded.value as { version: number }).version);
    assert.ok([1, 2].includes((parse(disk.readText(`${path}.bak`)!) as { version: number }).version));
  }
  assert.equal([...outcomes], [2, 3]);
});

tables('a full disk leaves the old table', () => {
  const disk = new MemoryDisk();
  tableOn(disk).write({ version: 1 });
  for (const spaceBytes of [0, 5, 16, 20]) {
    const table = tableOn(new FaultyDisk(disk, { spaceBytes }));
    assert.throws(
      () => table.write({ version: 2 }),
      (error: unknown) => error instanceof RingError && error.code === 'DISK_WRITE_FAILED',
    );
    assert.equal(tableOn(disk).read().value, { version: 1 });
  }
});

tables.run();
