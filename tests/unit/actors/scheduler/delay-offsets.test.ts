/** delayOffset.json as Java 4.9.7 writes it: the texts below are its. Source: spec storage 7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DelayOffsetFile, formatDelayOffsets } from '../../../../actors/scheduler/delay-offsets.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';

const offsets = suite('actors/scheduler/delay-offsets');
const path = '/store/config/delayOffset.json';

offsets('is written byte for byte as Java writes it', () => {
  const disk = new MemoryDisk();
  const file = new DelayOffsetFile(disk, '/store/config');
  file.write(
    new Map([
      [2, 5],
      [1, 5],
    ]),
  );
  assert.is(disk.readText(path), '{\n\t"offsetTable":{1:5,2:5\n\t}\n}');
  file.write(new Map());
  assert.is(disk.readText(path), '{\n\t"offsetTable":{}\n}');
  assert.is(disk.readText(`${path}.bak`), '{\n\t"offsetTable":{1:5,2:5\n\t}\n}');
});

offsets('is read with and without quotes, and with the version of 5.x', () => {
  const disk = new MemoryDisk();
  disk.makeFolder('/store/config');
  for (const text of [
    '{"offsetTable":{1:12,18:3}}',
    '{"offsetTable":{"1":12,"18":3}}',
    '{\n\t"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1},\n\t"offsetTable":{1:12,18:3\n\t}\n}',
  ]) {
    disk.writeText(path, text);
    assert.equal(
      [...new DelayOffsetFile(disk, '/store/config').read()],
      [
        [1, 12],
        [18, 3],
      ],
    );
  }
  disk.remove(path);
  assert.is(new DelayOffsetFile(disk, '/store/config').read().size, 0);
});

offsets('the answer of code 45 is on one line', () => {
  assert.is(
    formatDelayOffsets(
      new Map([
        [10, 1],
        [2, 5],
      ]),
    ),
    '{"offsetTable":{2:5,10:1}}',
  );
});

offsets.run();
