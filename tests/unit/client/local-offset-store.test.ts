import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalOffsetStore } from '../../../client/local-offset-store.js';
import { rejectionOf } from '../../support/fake-broker.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';

const store = suite('client/local-offset-store');

const queue = (queueId: number) => ({ topic: 'T', brokerName: 'b', queueId });

async function inFolder(work: (folder: string, file: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await work(folder, path.join(folder, '10.0.0.5@DEFAULT', 'CG', 'offsets.json'));
  } finally {
    removeFolder(folder);
  }
}

const open = async (folder: string): Promise<LocalOffsetStore> => {
  const opened = new LocalOffsetStore(folder, '10.0.0.5@DEFAULT', 'CG');
  await opened.load();
  return opened;
};

store('keeps offsets in Java’s file, and reads them again', () =>
  inFolder(async (folder, file) => {
    const first = await open(folder);
    assert.is(await first.fetch(queue(0)), null);
    first.update(queue(0), 12, true);
    first.update(queue(1), 3, true);
    await first.persist([queue(0), queue(1), queue(2)]);
    assert.is(
      fs.readFileSync(file, 'utf8'),
      '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:12,{"brokerName":"b","queueId":1,"topic":"T"}:3}}',
    );
    const second = await open(folder);
    assert.equal([await second.fetch(queue(0)), await second.fetch(queue(1))], [12, 3]);
    assert.is(second.read(queue(0)), undefined, 'this run has consumed nothing');
    second.update(queue(1), 4, true);
    second.update(queue(1), 2, true);
    assert.is(second.read(queue(1)), 4, 'lower offsets need to be meant');
    second.update(queue(1), 2, false);
    await second.persist([queue(1)]);
    assert.equal([await (await open(folder)).fetch(queue(0)), await (await open(folder)).fetch(queue(1))], [12, 2]);
  }),
);

store('reads what Java writes', () =>
  inFolder(async (folder, file) => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(
      file,
      '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"b",\n\t\t\t"queueId":1,\n\t\t\t"topic":"T"\n\t\t}:7\n\t}\n}',
    );
    assert.is(await (await open(folder)).fetch(queue(1)), 7);
  }),
);

store('falls back to the version before when the file is damaged', () =>
  inFolder(async (folder, file) => {
    const first = await open(folder);
    for (const offset of [5, 6]) {
      first.update(queue(0), offset, true);
      await first.persist([queue(0)]);
    }
    fs.writeFileSync(file, '{"offsetTab');
    assert.is(await (await open(folder)).fetch(queue(0)), 5);
  }),
);

store('does not write what has not changed, and reports what it cannot write', () =>
  inFolder(async (folder, file) => {
    const first = await open(folder);
    first.update(queue(0), 5, true);
    await first.persist([queue(0)]);
    fs.rmSync(file);
    await first.persist([queue(0)]);
    assert.not.ok(fs.existsSync(file));
    fs.rmSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(path.dirname(file), 'a file where the folder should be');
    first.update(queue(0), 6, true);
    assert.instance(await rejectionOf(first.persist([queue(0)])), Error);
    fs.rmSync(path.dirname(file));
    await first.persist([queue(0)]);
    assert.is(await (await open(folder)).fetch(queue(0)), 6, 'tried again');
  }),
);

store.run();
