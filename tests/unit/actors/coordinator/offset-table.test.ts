/** Consumer offsets. Source: spec storage 7, remoting 7.4. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OffsetTable } from '../../../../actors/coordinator/offset-table.js';
import { parseDialect } from '../../../../protocol/json-dialect.js';
import { JsonTable } from '../../../../storage/json-table.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { configFile } from './support.js';

const offsets = suite('actors/coordinator/offset-table');

const open = (disk: MemoryDisk | FaultyDisk): OffsetTable =>
  new OffsetTable(new JsonTable(disk, configFile('consumerOffset'), parseDialect));

offsets('remembers each queue of each group, backwards too', () => {
  const table = open(new MemoryDisk());
  assert.is(table.query('G', 'T', 0), -1);
  table.commit('G', 'T', 0, 10);
  table.commit('G', 'T', 1, 20);
  table.commit('H', 'T', 0, 30);
  table.commit('G', 'T', 0, 5);
  assert.equal(
    [table.query('G', 'T', 0), table.query('G', 'T', 1), table.query('H', 'T', 0), table.query('H', 'T', 1)],
    [5, 20, 30, -1],
  );
  assert.equal(table.toObject(), { offsetTable: { 'T@G': { 0: 5, 1: 20 }, 'T@H': { 0: 30 } } });
});

offsets('is stored and read back', () => {
  const disk = new MemoryDisk();
  const table = open(disk);
  table.commit('G', 'T', 3, 120);
  table.save();
  assert.is(open(disk).query('G', 'T', 3), 120);
});

offsets('reads the file of a Java broker, whose integer keys have no quotes', () => {
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  disk.writeText(
    configFile('consumerOffset'),
    '{\n\t"offsetTable":{\n\t\t"T@G":{0:120,1:118\n\t\t},\n\t\t"%RETRY%G@G":{0:3\n\t\t}\n\t}\n}',
  );
  const table = open(disk);
  assert.equal([table.query('G', 'T', 0), table.query('G', 'T', 1), table.query('G', '%RETRY%G', 0)], [120, 118, 3]);
});

offsets('writes only what changed, and tries again what it could not write', () => {
  const disk = new FaultyDisk(new MemoryDisk());
  let writes = 0;
  disk.faults.fail = call => {
    if (call === 'write') writes++;
    return undefined;
  };
  const table = open(disk);
  table.save();
  assert.is(writes, 0);
  table.commit('G', 'T', 0, 1);
  disk.faults.fail = call => (call === 'write' ? 'ENOSPC' : undefined);
  assert.throws(() => table.save(), /ENOSPC/);
  delete disk.faults.fail;
  table.save();
  assert.is(open(disk as never).query('G', 'T', 0), 1);
});

offsets('forgets a group, or a topic', () => {
  const disk = new MemoryDisk();
  const table = open(disk);
  for (const group of ['G', 'GG', 'H']) for (const topic of ['T', 'TT']) table.commit(group, topic, 0, 1);
  table.deleteGroup('G');
  assert.equal(Object.keys(table.toObject().offsetTable).sort(), ['T@GG', 'T@H', 'TT@GG', 'TT@H']);
  table.deleteTopic('T');
  assert.equal(Object.keys(table.toObject().offsetTable).sort(), ['TT@GG', 'TT@H']);
  table.save();
  assert.is(open(disk).query('GG', 'TT', 0), 1);
});

offsets.run();
