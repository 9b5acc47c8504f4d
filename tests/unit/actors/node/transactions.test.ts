/** Transactions in a whole node, and over a store that another broker left: a raw client plays the producer. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RemotingCommand } from '../../../../protocol/command.js';
import { nodeDisk } from '../../../../storage/disk.js';
import { decodeRecords, formatProperties } from '../../../support/raw-record.js';
import { committedOffset, createTopic, pullQueue, queueBound } from '../../../support/raw-requests.js';
import { LogBuilder } from '../../../support/record-builder.js';
import { frameOf, sendFrame } from '../../../support/rooms.js';
import { type TestNodeOptions, TestWorld, type Wire } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { heartbeatOf, jsonBody } from '../coordinator/support.js';

const transactions = suite('actors/node: transactions');

const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC';
const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
const discardTopic = 'TRANS_CHECK_MAX_TIME_TOPIC';
const quick = {
  transactionCheckInterval: '200',
  transactionTimeOut: '100',
  flushDiskType: 'ASYNC_FLUSH',
  flushIntervalCommitLog: '20',
  flushCommitLogLeastPages: '0',
};

/** A store with these transactions, as a broker leaves it; `ended` are offsets of half messages. */
function fillStore(world: TestWorld, names: readonly string[], ended: readonly number[]): void {
  const log = new LogBuilder(nodeDisk, join(world.folder, 'commitlog'), 1_048_576);
  const bornTimestamp = Date.now() - 60_000;
  for (const [queueOffset, name] of names.entries()) {
    const properties = { TRAN_MSG: 'true', PGROUP: 'PG', UNIQ_KEY: name, REAL_TOPIC: 'Orders', REAL_QID: '3' };
    log.append({
      topic: halfTopic,
      queueOffset,
      bornTimestamp,
      storeTimestamp: bornTimestamp,
      body: Buffer.from(`body of ${name}`),
      properties: formatProperties(Object.entries(properties)),
    });
  }
  for (const [queueOffset, halfOffset] of ended.entries()) {
    const body = Buffer.from(String(halfOffset));
    log.append({
      topic: opTopic,
      queueOffset,
      bornTimestamp,
      storeTimestamp: bornTimestamp,
      body,
      properties: 'TAGS\u0001d',
    });
  }
}

async function withStore(
  options: TestNodeOptions,
  test: (world: TestWorld, set: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const world = new TestWorld(options);
  try {
    await test(world, quick);
  } finally {
    await world.end();
  }
}

const bornNow = (): { bornTimestamp: number } => ({ bornTimestamp: Date.now() });

/** Changes keys while the node runs. */
async function update(wire: Wire, text: string): Promise<void> {
  assert.is((await wire.ask(frameOf(25, {}, Buffer.from(text)))).code, 0);
}

/** A producer of the group that says it is there. */
async function producer(world: TestWorld, clientId = 'producer-1'): Promise<Wire> {
  const wire = await world.dial();
  const data = heartbeatOf({ clientId, group: '', producers: ['PG'] });
  assert.is((await wire.ask(frameOf(34, {}, jsonBody(data)))).code, 0);
  return wire;
}

const questionsTo = (wire: Wire): RemotingCommand[] =>
  wire.frames.filter(({ code, flag }) => code === 39 && flag === 2);
const askedBy = (wire: Wire): (string | undefined)[] =>
  questionsTo(wire).map(({ extFields }) => extFields.transactionId);

const modes: [name: string, options: TestNodeOptions][] = [
  ['inline', {}],
  ['shared', { real: true, set: { threadingMode: 'shared' } }],
  ['dedicated', { real: true, set: { threadingMode: 'dedicated', lanesMax: '2' } }],
];

for (const [mode, options] of modes) {
  transactions(`${mode}: the producer is asked, again and again, and then the message is given up`, () =>
    withStore(options, async (world, set) => {
      fillStore(world, ['a', 'b', 'c'], [1]);
      await world.start({ ...set, transactionCheckMax: '2', checkTransactionMessageEnable: 'false' });
      const wire = await producer(world);
      await update(wire, 'checkTransactionMessageEnable=true\n');
      await until(() => askedBy(wire).length >= 4 || askedBy(wire).includes('b'), 'four questions');
      assert.equal(askedBy(wire).slice(0, 2), ['a', 'c']);
      const question = questionsTo(wire)[0]!;
      const [message] = decodeRecords(Buffer.from(question.body!));
      assert.equal([message!.topic, message!.queueId, message!.body.toString()], ['Orders', 3, 'body of a']);
      assert.is(question.extFields.tranStateTableOffset, String(message!.queueOffset));
      const client = await world.connect();
      const discarded: string[] = [];
      await pullQueue(client, discardTopic, 0, record => discarded.push(record.properties.get('UNIQ_KEY')!), {
        untilOffset: 2,
      });
      assert.equal(discarded, ['a', 'c']);
      assert.is(askedBy(wire).length, 4);
      const offset = (topic: string): Promise<number> => committedOffset(client, 'CID_RMQ_SYS_TRANS', topic, 0);
      while ((await offset(halfTopic)) < 7);
      assert.equal([await offset(halfTopic), await offset(opTopic)], [7, 1]);
    }),
  );
}

for (const [mode, options] of modes) {
  transactions(`${mode}: what the producer answers is done`, () =>
    withStore(options, async (world, set) => {
      await world.start({ ...set, transactionCheckInterval: '1000' });
      const wire = await producer(world);
      const client = await world.connect();
      await createTopic(client, 'Orders', 1);
      for (const name of ['commit', 'rollback', 'later']) {
        const properties = `TRAN_MSG\u0001true\u0002PGROUP\u0001PG\u0002UNIQ_KEY\u0001${name}`;
        const sent = await wire.ask(sendFrame({ topic: 'Orders', properties, body: name, more: bornNow() }));
        assert.is(sent.code, 0);
      }
      const decisions: Record<string, number> = { commit: 8, rollback: 12 };
      const answered = new Map<string, number>();
      await until(() => {
        for (const { extFields } of questionsTo(wire)) {
          const name = extFields.transactionId!;
          const times = (answered.get(name) ?? 0) + 1;
          answered.set(name, times);
          const { tranStateTableOffset, commitLogOffset } = extFields;
          const commitOrRollback = decisions[name] ?? (times > 2 ? 8 : 0);
          const fields = { producerGroup: 'PG', tranStateTableOffset, commitLogOffset, commitOrRollback };
          wire.write(frameOf(37, { ...fields, fromTransactionCheck: true }, null, { oneway: true }));
        }
        wire.frames.length = 0;
        return (answered.get('later') ?? 0) > 2;
      }, 'three questions about the one that is undecided');
      const committed: string[] = [];
      await pullQueue(client, 'Orders', 0, record => committed.push(record.body.toString()), {
        untilOffset: 2,
        patienceMs: 10_000,
      });
      assert.equal(committed, ['commit', 'later']);
      const progress = (topic: string): Promise<number> => committedOffset(client, 'CID_RMQ_SYS_TRANS', topic, 0);
      while ((await progress(opTopic)) < 3);
      assert.is(await queueBound(client, opTopic, 0, 'max'), 3, 'each ended once');
      assert.is(await queueBound(client, discardTopic, 0, 'max'), 0);
    }),
  );
}

transactions('producers of the group are asked in turn, none when none is there', () =>
  withStore({}, async (world, set) => {
    fillStore(world, ['a', 'b', 'c', 'd'], []);
    await world.start(set);
    await until(
      () => world.lines.some(({ message }) => message.includes('no producer of the group')),
      'nobody is there',
    );
    const both = [await producer(world, 'one'), await producer(world, 'two')];
    await until(() => both.every(wire => questionsTo(wire).length >= 2), 'two questions each');
    const client = await world.connect();
    while ((await committedOffset(client, 'CID_RMQ_SYS_TRANS', halfTopic, 0)) < 4);
  }),
);

transactions('a restart goes on where the run was, with the count of questions', () =>
  withStore({}, async (world, set) => {
    fillStore(world, ['a'], []);
    const forEver = { ...set, transactionCheckMax: '1000', flushDiskType: 'SYNC_FLUSH' };
    await world.start(forEver);
    await producer(world);
    await until(
      () => world.node.shop.counters('transaction-checker').read('halfMessagesAsked') >= 3,
      'three questions',
    );
    await world.stop();
    await world.start(forEver);
    const wire = await producer(world);
    await until(() => questionsTo(wire).length > 0, 'a question');
    const [message] = decodeRecords(Buffer.from(questionsTo(wire)[0]!.body!));
    assert.ok(Number(message!.properties.get('TRANSACTION_CHECK_TIMES')) >= 3);
  }),
);

transactions('a change of the keys counts at once; checkTransactionMessageEnable switches questions off and on', () =>
  withStore({}, async (world, set) => {
    fillStore(world, ['a'], []);
    await world.start({ ...set, checkTransactionMessageEnable: 'false' });
    assert.ok(world.lines.some(({ message }) => message.includes('checkTransactionMessageEnable')));
    const wire = await producer(world);
    await update(wire, 'transactionCheckInterval=300\n');
    assert.is(world.node.shop.counters('transaction-checker').read('halfMessagesAsked'), 0);
    await update(wire, 'checkTransactionMessageEnable=true\n');
    await until(() => questionsTo(wire).length > 0, 'a question');
  }),
);

transactions.run();
