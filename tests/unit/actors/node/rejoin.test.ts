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

const REJOIN = 12_012;

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

rejoin('demoted by force, with messages that nobody else has: it follows who is promoted then', () =>
  withPair({}, async pair => {
    await pair.send('T', 400);
    await pair.caughtUp();
    await pair.slave.stop();
    await pair.send('T', 40);
    const end = endOf(pair.master);
    const demoted = await ringmq(pair, 'demote', 'broker-a', '--force');
    assert.is(demoted.code, 0, demoted.err);
    await pair.slave.start();
    const agreed = endOf(pair.slave);
    const promoted = await ringmq(pair, 'promote', pair.slave.address, '--force');
    assert.is(promoted.code, 0, promoted.err);
    assert.ok((await pair.send('T', 20, 100, pair.slave)).every(code => code === 0));
    await rejoined(pair);
    pair.assertSameLog();
    assertSameQueues(pair);
    assert.is(fs.statSync(setAsideBy(pair.master)[0]!).size, end - agreed);
    assert.equal([...pair.master.errors, ...pair.slave.errors], []);
  }),
);

/** The master comes back with a copy of its store from before, and goes on from there. */
async function restore(pair: ReplicaPair): Promise<Parted> {
  await pair.send('T', 200);
  await pair.caughtUp();
  const agreed = endOf(pair.slave);
  await pair.master.stop();
  const copy = `${pair.master.folder}-copy`;
  fs.cpSync(pair.master.folder, copy, { recursive: true });
  await pair.master.start();
  await pair.attached();
  await pair.send('T', 50);
  await pair.caughtUp();
  const end = endOf(pair.slave);
  await pair.slave.stop();
  await pair.master.stop();
  fs.rmSync(pair.master.folder, { recursive: true });
  fs.renameSync(copy, pair.master.folder);
  await pair.master.start();
  await pair.send('T', 10);
  await pair.slave.start();
  return { agreed, tail: Buffer.from(logBytes(pair.slave, agreed, end)) };
}

rejoin('a slave that never led holds what its master lost: it waits until `ringmq rejoin` asks for it', () =>
  withPair({}, async pair => {
    const { agreed, tail } = await restore(pair);
    const { slave, namesrvAddr } = pair;
    const isSaid = (): boolean => slave.lines.some(({ message }) => /not set aside without being asked/.test(message));
    await until(isSaid, 'it says why it does nothing');
    assert.ok(
      slave.lines.some(({ message }) => message.includes(`They agree up to ${agreed}; the ${tail.length} bytes`)),
    );
    assert.equal(setAsideBy(slave), []);
    const hesitant = await runProgram('ringmq', ['rejoin', slave.address]);
    assert.is(hesitant.code, 1);
    assert.match(hesitant.err, new RegExp(`would set aside ${tail.length} bytes .* from ${agreed} on.*--yes`, 's'));
    const status = await ringmq(pair, 'cluster', 'status');
    assert.match(status.out, /does not follow its master: .*ringmq rejoin/);
    for (const [world, pattern] of [
      [slave, new RegExp(`reaches from ${agreed} to ${agreed + tail.length}, not from 1 to 2`)],
      [pair.master, /this broker is a master/],
    ] as const) {
      const client = await world.connect();
      const { code, remark } = await client.request(REJOIN, { from: '1', to: '2' });
      assert.is(code, 1);
      assert.match(remark, pattern);
    }
    const asked = await runProgram('ringmq', ['rejoin', slave.address, '--yes', '--json']);
    assert.is(asked.code, 0, asked.err);
    const [file] = setAsideBy(slave);
    assert.match(
      fs.readFileSync(`${file}.json`, 'utf8'),
      new RegExp(`"reason": "the master at ${pair.master.address} has`),
    );
    assert.equal(JSON.parse(asked.out), { address: slave.address, from: agreed, to: agreed + tail.length, file });
    await pair.caughtUp();
    pair.assertSameLog();
    assert.ok(fs.readFileSync(file!).equals(tail));
    const after = await runProgram('ringmq', ['cluster', 'status', '-n', namesrvAddr]);
    assert.match(after.out, /has set aside what its master did not have: .*commitlog-/);
    const again = await runProgram('ringmq', ['rejoin', slave.address, '--yes']);
    assert.match(again.err, /has nothing to set aside/);
    assert.match(
      (await runProgram('ringmq', ['rejoin', pair.master.address])).err,
      /nothing to set aside: it is a master/,
    );
    const shown = await runProgram('ringmq', ['set-aside', 'show', file!]);
    assert.match(shown.err, /^50 messages; the log from \d+ to \d+/);
    const filtered = await runProgram('ringmq', ['set-aside', 'show', file!, '--json', '--topic', 'T', '--max', '2']);
    const messages = JSON.parse(filtered.out);
    assert.is(messages.length, 2);
    assert.equal(
      [messages[0].topic, messages[0].commitLogOffset, Buffer.from(messages[0].bodyBase64, 'base64').length],
      ['T', agreed, 100],
    );
  }),
);

rejoin(
  'a former master that has set itself aside nothing (key 0) waits, and so does one whose successor is empty',
  () =>
    withPair({ set: { setAsideMaxBytes: '0' } }, async pair => {
      await part(pair);
      await pair.master.start(asSlave);
      const said = (): boolean => pair.master.lines.some(({ message }) => /setAsideMaxBytes is 0/.test(message));
      await until(said, 'it says which key');
      await pair.master.stop();
      await pair.slave.stop();
      fs.rmSync(pair.slave.folder, { recursive: true });
      await pair.slave.start({ brokerRole: 'ASYNC_MASTER', brokerId: '0' });
      await pair.send('T', 20, 100, pair.slave);
      await pair.master.start({ ...asSlave, setAsideMaxBytes: '1000000' });
      const saysNone = (): boolean =>
        pair.master.errors.some(message => /no record that both might have/.test(message));
      await until(saysNone, 'it finds nothing in common');
      const asked = await runProgram('ringmq', ['rejoin', pair.master.address, '--yes']);
      assert.match(asked.err, /nothing to set aside: .*move its store away/s);
      assert.equal(setAsideBy(pair.master), []);
    }),
);

rejoin('the cut fails half way, and the node with it: the next start ends it, with the file that is there', () =>
  withPair({}, async pair => {
    const { tail } = await part(pair);
    const { master } = pair;
    master.disk.faults.fail = (call, file) => (call === 'write' && file.endsWith('.resize') ? 'EIO' : undefined);
    await master.start(asSlave);
    await until(() => master.failures.length > 0, 'the node cannot go on');
    assert.match(master.failures[0]!, /could not be changed: .*EIO/);
    const [file] = setAsideBy(master);
    assert.ok(fs.readFileSync(file!).equals(tail));
    await master.stop();
    master.repair();
    await master.start(asSlave);
    await rejoined(pair);
    pair.assertSameLog();
    assertSameQueues(pair);
    assert.equal(setAsideBy(master), [file]);
    assert.ok(master.lines.some(({ message }) => /64 messages that its master does not have are in /.test(message)));
  }),
);

rejoin('a disk without room: it stays as it is, says so, and follows when it is asked again', () =>
  withPair({}, async pair => {
    const { tail } = await part(pair);
    pair.master.disk.faults.fail = (call, file) =>
      call === 'write' && file.includes('set-aside') ? 'ENOSPC' : undefined;
    await pair.master.start(asSlave);
    const refused = (): boolean =>
      pair.master.lines.some(({ message }) => /the role stays as it is: .*set-aside.*ENOSPC/.test(message));
    await until(refused, 'it says why');
    assert.ok(logBytes(pair.master, 0, endOf(pair.master)).subarray(-tail.length).equals(tail), 'nothing is cut');
    pair.master.repair();
    const asked = await runProgram('ringmq', ['rejoin', pair.master.address, '--yes']);
    assert.is(asked.code, 0, asked.err);
    await rejoined(pair);
    pair.assertSameLog();
    assert.equal(pair.master.failures, []);
  }),
);

rejoin.run();
