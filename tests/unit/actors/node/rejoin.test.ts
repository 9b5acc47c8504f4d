/** A former master comes back as a slave of its successor, with messages that this one never had. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeDisk } from '../../../../storage/disk.js';
import { SetAsideFile } from '../../../../storage/set-aside.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { type ReplicaPair, withPair } from '../../../support/replica-pair.js';
import type { TestWorld } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { type Outcome, runProgram } from '../../cli/support.js';

const rejoin = suite('actors/node: a former master rejoins');

const ringmq = (pair: ReplicaPair, ...words: string[]): Promise<Outcome> =>
  runProgram('ringmq', [...words, '-n', pair.namesrvAddr]);

const endOf = (world: TestWorld): number => world.node.shop.positions.read('appended');

/** Files that were set aside, without their reports. */
function setAsideBy(world: TestWorld): string[] {
  const folder = path.join(world.folder, 'set-aside');
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names.filter(name => !name.endsWith('.json')).map(name => path.join(folder, name));
}

/** Bytes of a world's log; it may have several files. */
function logBytes(world: TestWorld, from: number, to: number): Buffer {
  const folder = path.join(world.folder, 'commitlog');
  const files = fs.readdirSync(folder).sort();
  const first = Number(files[0]);
  const all = Buffer.concat(files.map(name => fs.readFileSync(path.join(folder, name))));
  return all.subarray(from - first, to - first);
}

interface Parted {
  /** Up to here both logs are the same. */
  readonly agreed: number;
  readonly tail: Buffer;
}

/** The master stops with messages its slave does not have, and the slave becomes the master and gets others. */
async function part(pair: ReplicaPair, { kept = 400, tail = 60, others = 30 } = {}): Promise<Parted> {
  await pair.send('T', kept);
  await pair.caughtUp();
  await pair.slave.stop();
  const agreed = endOf(pair.master);
  await pair.send('T', tail, 300);
  await pair.send('OnlyHere', 4);
  const end = endOf(pair.master);
  await pair.master.stop();
  const bytes = Buffer.from(logBytes(pair.master, agreed, end));
  await pair.slave.start();
  await until(async () => (await ringmq(pair, 'promote', 'broker-a', '--force')).code === 0, 'promoted');
  if (others > 0) await pair.send('T', others, 200, pair.slave);
  return { agreed, tail: bytes };
}

const asSlave = { brokerRole: 'SLAVE', brokerId: '1' };

async function rejoined({ master, slave }: ReplicaPair): Promise<void> {
  const isSame = (): boolean =>
    master.saysReplicating &&
    endOf(master) === endOf(slave) &&
    master.node.shop.positions.read('dispatched') === endOf(slave);
  await until(isSame, 'the former master has what its successor has');
}

function assertSameQueues({ master, slave }: ReplicaPair): void {
  for (const topic of fs.readdirSync(path.join(slave.folder, 'consumequeue'))) {
    for (const queue of fs.readdirSync(path.join(slave.folder, 'consumequeue', topic))) {
      const read = (world: TestWorld): Buffer[] => {
        const folder = path.join(world.folder, 'consumequeue', topic, queue);
        return fs.readdirSync(folder).map(name => fs.readFileSync(path.join(folder, name)));
      };
      assert.equal(read(master), read(slave), `${topic} ${queue}`);
    }
  }
}

for (const { others, what } of [
  { others: 30, what: 'its successor has other messages there' },
  { others: 300, what: 'its successor has more, in other files' },
  { others: 0, what: 'its successor has nothing there' },
]) {
  rejoin(`what it has beyond is set aside, cut off, and it follows: ${what}`, () =>
    withPair({}, async pair => {
      const { agreed, tail } = await part(pair, { others });
      await pair.master.start(asSlave);
      await rejoined(pair);
      pair.assertSameLog();
      assertSameQueues(pair);
      const [file, ...more] = setAsideBy(pair.master);
      assert.equal(more, []);
      assert.ok(fs.readFileSync(file!).equals(tail), 'byte for byte');
      const report = JSON.parse(fs.readFileSync(`${file}.json`, 'utf8'));
      assert.equal([report.from, report.to, report.messages], [agreed, agreed + tail.length, 64]);
      assert.equal(Object.keys(report.topics), ['OnlyHere', 'T']);
      assert.equal(report.topics.T[0], { queueId: 0, messages: 15, firstOffset: 100, lastOffset: 114 });
      const opened = new SetAsideFile(nodeDisk, file!);
      assert.equal(
        [...opened.records()]
          .map(record => decodeRecords(Buffer.from(record))[0]!.topic)
          .filter(topic => topic !== 'T'),
        ['OnlyHere', 'OnlyHere', 'OnlyHere', 'OnlyHere'],
      );
      opened.close();
      assert.ok(
        pair.master.lines.some(({ level, message }) => level === 'warn' && /64 messages .* set aside/.test(message)),
      );
      // It goes on as any slave does.
      await pair.send('T', 20, 100, pair.slave);
      await rejoined(pair);
      await pair.master.restart();
      await rejoined(pair);
      assert.equal(setAsideBy(pair.master), [file]);
    }),
  );
}

rejoin.run();
