// @limit 180
/**
 * A whole node whose oldest files expire: what goes, what stays, what readers and clients see, and that it starts
 * again.
 */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBrokerConfig, RingNode } from '../../../../actors/node/index.js';
import type { ThreadingMode } from '../../../../actors/node/thread-plan.js';
import { StoreState } from '../../../../actors/store-state.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { ConsumeQueueReader } from '../../../../storage/consume-queue.js';
import { type Disk, type DiskSpace, nodeDisk } from '../../../../storage/disk.js';
import { consumeQueueFolder, parseSegmentName } from '../../../../storage/paths.js';
import { FaultyDisk } from '../../../support/faulty-disk.js';
import { physicalOffsetOf, RawClient } from '../../../support/raw-client.js';
import { decodeRecords } from '../../../support/raw-record.js';
import { createTopic } from '../../../support/raw-requests.js';
import { until } from '../../../support/until.js';
import {
  awaitFollowed,
  awaitMinimums,
  bodyOf,
  codes,
  count,
  fill,
  inFolder,
  pullAt,
  queueFiles,
  queues,
  readAll,
  type Stored,
  send,
  survivors,
  topic,
} from './expiring-topic.js';
import { OpenNode, testSettings } from './open-node.js';

const retention = suite('retention of a whole node');

const modes: readonly ThreadingMode[] = ['inline', 'shared', 'dedicated'];

for (const mode of modes) {
  retention(`expired files go, everything follows, and it starts again (${mode})`, () =>
    inFolder(async (folder, nodes, clients) => {
      const node = await OpenNode.start(mode, testSettings(join(folder, 'store')));
      nodes.push(node);
      const client = await RawClient.connect(node.address);
      clients.push(client);
      const stored = await fill(client);
      await awaitFollowed(node);
      // The lane has files open from here on.
      assert.equal(await readAll(client), survivors(stored, 0));

      const before = node.logFiles();
      assert.ok(before.length >= 8, `${before.length} files of the log`);
      const filesBefore = queueFiles(node, 0);
      assert.ok(filesBefore.length >= 4, `${filesBefore.length} files of a queue`);

      // Young files stay, whatever the hour.
      await node.housekeeping.clean(new Date());
      assert.equal(node.logFiles(), before);

      const reader = new CommitLogReader(nodeDisk, node.store.paths.commitLog, node.config.mappedFileSizeCommitLog);
      const units = new Uint8Array(20 * 50);
      const queueFolder = consumeQueueFolder(node.store.paths, topic, 0);
      const queue = new ConsumeQueueReader(nodeDisk, queueFolder, node.config.mappedFileSizeConsumeQueue, units);
      const half = new Uint8Array(node.config.mappedFileSizeCommitLog);
      const whole = new Uint8Array(node.config.mappedFileSizeCommitLog);
      assert.is(reader.read(whole, 0, whole.length, 0), whole.length);
      assert.is(reader.read(half, 0, half.length / 2, 0), half.length / 2);
      assert.is(queue.load(0, 1), 1);

      const gone = 5;
      node.makeOld(before.slice(0, gone), node.config.fileReservedTime + 1);
      await node.housekeeping.clean(new Date());
      const minimum = gone * node.config.mappedFileSizeCommitLog;
      assert.equal(node.logFiles(), before.slice(gone));
      assert.is(node.shop.positions.read('minimum'), minimum);

      const expected = survivors(stored, minimum);
      await awaitMinimums(client, expected);
      for (let queueId = 0; queueId < queues; queueId++) {
        const [first] = expected[queueId] as [Stored];
        // A file whose last entry is still good is kept, and those before it are gone.
        const fileOfFirst = Math.floor(first.queueOffset / 50) * 1000;
        // They go after the minimum was published.
        await until(() => queueFiles(node, queueId)[0] === fileOfFirst, `queue ${queueId} begins at ${fileOfFirst}`);
        for (const offset of [0, first.queueOffset - 1]) {
          const answer = await pullAt(client, queueId, offset);
          assert.is(answer.code, codes.offsetMoved);
          assert.is(Number(answer.ext.nextBeginOffset), first.queueOffset);
          assert.is(Number(answer.ext.minOffset), first.queueOffset);
        }
        const answer = await pullAt(client, queueId, first.queueOffset);
        assert.is(answer.code, codes.found);
        assert.is(decodeRecords(answer.body)[0]?.physicalOffset, first.physicalOffset);
      }
      assert.equal(await readAll(client), expected);

      // Whoever had the old files open reads them to their ends.
      const second = half.length / 2;
      assert.is(reader.read(half, second, second, second), second);
      assert.ok(Buffer.compare(half, whole) === 0, 'a reader of a deleted file of the log reads on');
      assert.is(queue.load(0, 50), 50, 'a reader of a deleted file of a queue reads on');
      assert.is(queue.physicalOffset(49), survivors(stored, 0)[0]![49]!.physicalOffset);
      reader.close();
      queue.close();

      const late = await send(client, 0, 'after the files went');
      await checkCopyOfRunning(node, folder, mode, [...stored, late], minimum, nodes, clients);

      client.close();
      await node.stop();
      const again = await OpenNode.start(mode, testSettings(join(folder, 'store')));
      nodes.push(again);
      await checkStarted(again, [...stored, late], minimum, clients);
    }),
  );
}

/** What a kill -9 leaves is the files as they are: the node starts on a copy of them made while it runs. */
async function checkCopyOfRunning(
  node: OpenNode,
  folder: string,
  mode: ThreadingMode,
  stored: readonly Stored[],
  minimum: number,
  nodes: OpenNode[],
  clients: RawClient[],
): Promise<void> {
  const copy = join(folder, 'copy');
  await awaitFollowed(node);
  cpSync(join(folder, 'store'), copy, { recursive: true, filter: source => !/lock(\.pid)?$/.test(source) });
  assert.ok(existsSync(join(copy, 'abort')), 'the copy looks like after a crash');
  const started = await OpenNode.start(mode, testSettings(copy));
  nodes.push(started);
  await checkStarted(started, stored, minimum, clients);
}

/** A node that was started on what another left: the same messages, the same bounds, and offsets go on. */
async function checkStarted(
  node: OpenNode,
  stored: readonly Stored[],
  minimum: number,
  clients: RawClient[],
): Promise<void> {
  assert.is(node.shop.positions.read('minimum'), minimum);
  const client = await RawClient.connect(node.address);
  clients.push(client);
  const expected = survivors(stored, minimum);
  await awaitMinimums(client, expected);
  assert.equal(await readAll(client), expected);
  assert.is((await pullAt(client, 0, 0)).code, codes.offsetMoved);
  const next = await send(client, 1, 'after the start');
  assert.is(next.queueOffset, expected[1]!.at(-1)!.queueOffset + 1);
}

retention('files go ten a pass, and the newest never', () =>
  inFolder(async (folder, nodes, clients) => {
    const settings = { ...testSettings(join(folder, 'store')), deleteFileBatchMax: '3' };
    const node = await OpenNode.start('inline', settings);
    nodes.push(node);
    const client = await RawClient.connect(node.address);
    clients.push(client);
    const stored = await fill(client);
    await awaitFollowed(node);
    const before = node.logFiles();
    node.makeOld(before, node.config.fileReservedTime + 1);
    for (let left = before.length; left > 1; ) {
      await node.housekeeping.clean(new Date());
      const after = Math.max(1, left - 3);
      assert.equal(node.logFiles(), before.slice(before.length - after));
      left = after;
    }
    await node.housekeeping.clean(new Date());
    assert.equal(node.logFiles(), before.slice(-1));
    const expected = survivors(stored, parseSegmentName(before.at(-1)!));
    await awaitMinimums(client, expected);
    assert.equal(await readAll(client), expected);
    assert.is((await send(client, 0, 'on')).queueOffset, count / queues);
  }),
);

retention('what is not in the consume queues yet stays, even when it has expired', () =>
  inFolder(async (folder, nodes, clients) => {
    const disk = new FaultyDisk(nodeDisk);
    const node = await OpenNode.start('inline', testSettings(join(folder, 'store')), disk);
    nodes.push(node);
    // What many connections bring in one turn is appended before the dispatcher has its first try.
    for (let index = 0; index < 8; index++) clients.push(await RawClient.connect(node.address));
    const [client] = clients as [RawClient];
    await createTopic(client, topic, queues);
    disk.faults.fail = (call, path) => (call === 'write' && path.includes('consumequeue') ? 'ENOSPC' : undefined);
    const attempts = Array.from({ length: count }, (_, index) =>
      clients[index % clients.length]!.send({ topic, queueId: index % queues, body: bodyOf(`message ${index}`) }),
    );
    const answers = await Promise.all(attempts);
    const stored = answers.flatMap(({ code, queueOffset, msgId }, index) => {
      const place = { queueId: index % queues, queueOffset, physicalOffset: physicalOffsetOf(msgId || '0') };
      return code === codes.found ? [{ ...place, text: `message ${index}` }] : [];
    });
    const before = node.logFiles();
    assert.ok(before.length > 1, 'more than a file was filled before the dispatcher failed');
    node.makeOld(before, node.config.fileReservedTime + 1);
    await node.housekeeping.clean(new Date());
    delete disk.faults.fail;
    await awaitFollowed(node);
    assert.equal(await readAll(client), survivors(stored, 0));
    await node.housekeeping.clean(new Date());
    assert.equal(node.logFiles(), before.slice(-1));
  }),
);

/** The real disk with a partition that is as full as a test wants. */
class CrowdedDisk {
  usedPercent = 10;
  readonly disk: Disk = { ...nodeDisk, space: () => this.#space() };

  #space(): DiskSpace {
    const freeBytes = 1e6 * (100 - this.usedPercent);
    return { totalBytes: 1e8, freeBytes, usableBytes: freeBytes };
  }
}

retention('a full disk refuses sends with code 14, reads go on, and both ratios have to be left again', () =>
  inFolder(async (folder, nodes, clients) => {
    const crowded = new CrowdedDisk();
    const node = await OpenNode.start('inline', testSettings(join(folder, 'store')), crowded.disk);
    nodes.push(node);
    const client = await RawClient.connect(node.address);
    clients.push(client);
    await createTopic(client, topic, queues);
    const stored = [await send(client, 0, 'there is room')];

    /** Looks at the disk as it is now, and sends: the code of the answer. */
    const trySend = async (usedPercent: number, look: () => Promise<void>): Promise<number> => {
      crowded.usedPercent = usedPercent;
      await look();
      const answer = await client.send({ topic, queueId: 0, body: bodyOf(`at ${usedPercent}`) });
      const { code, remark, queueOffset, msgId } = answer;
      if (code !== codes.found) assert.match(remark, /diskSpaceWarningLevelRatio/);
      else stored.push({ queueId: 0, queueOffset, physicalOffset: physicalOffsetOf(msgId), text: `at ${usedPercent}` });
      return code;
    };
    const check = (): Promise<void> => node.housekeeping.checkSpace();
    const clean = (): Promise<void> => node.housekeeping.clean(new Date());

    for (const look of [check, clean]) {
      // 85 and 90 percent are the defaults of the two levels.
      assert.is(await trySend(88, look), codes.found, 'between the levels it stays as it was');
      assert.is(await trySend(90, look), codes.found, 'at the level is not above it');
      assert.is(await trySend(91, look), codes.serviceNotAvailable);
      await awaitFollowed(node);
      assert.equal(await readAll(client), survivors(stored, 0), 'reads go on');
      assert.is(await trySend(88, look), codes.serviceNotAvailable, 'between the levels it stays as it was');
      assert.is(await trySend(80, look), codes.found);
    }
    await awaitFollowed(node);
    assert.equal(await readAll(client), survivors(stored, 0));
    const said = node.logged().filter(line => line.startsWith('the disk'));
    const [full, roomy] = ['the disk is too full: sends are refused', 'the disk has room again: sends are taken'];
    assert.equal(said, [full, roomy, full, roomy], 'each change is said once');
  }),
);

retention('a running node looks at its disk by itself', () =>
  inFolder(async folder => {
    const crowded = new CrowdedDisk();
    crowded.usedPercent = 95;
    const broker = loadBrokerConfig({ set: testSettings(join(folder, 'store')) });
    const node = await RingNode.start({ broker, disk: crowded.disk, logger: silentLogger });
    try {
      await until(() => node.shop.storeState.has(StoreState.DISK_FULL), 'the disk is found to be full');
      const client = await RawClient.connect(`127.0.0.1:${node.ports.broker}`);
      await createTopic(client, topic, queues);
      const { code, remark } = await client.send({ topic, queueId: 0, body: bodyOf('no room') });
      client.close();
      assert.is(code, codes.serviceNotAvailable);
      assert.match(remark, /diskSpaceWarningLevelRatio/);
    } finally {
      await node.stop();
    }
  }),
);

retention.run();
