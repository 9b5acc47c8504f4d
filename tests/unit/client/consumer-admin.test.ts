import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MessageExt } from '../../../client/message-ext.js';
import { PushConsumer } from '../../../client/push-consumer.js';
import { decodeBody, encodeBody } from '../../../protocol/bodies/fields.js';
import { messageQueueEntriesOf, messageQueueMap } from '../../../protocol/bodies/message-queue.js';
import { RequestCode } from '../../../protocol/codes.js';
import type { ExtFields, RemotingCommand } from '../../../protocol/command.js';
import { encodeFakeRecord } from '../../support/fake-broker.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const admin = suite('client/consumer-admin');

interface Rig {
  readonly fake: FakeMessageBroker;
  readonly got: MessageExt[];
  /** Asks the consumer and waits for its answer. */
  readonly ask: (code: number, fields: ExtFields, body?: Uint8Array) => Promise<RemotingCommand>;
}

async function withRig(body: (rig: Rig) => Promise<void>): Promise<void> {
  const fake = await FakeMessageBroker.listen({ T: 1 });
  const namesrvAddr = fake.address;
  const consumeFromWhere = 'CONSUME_FROM_FIRST_OFFSET';
  const client = new PushConsumer({ namesrvAddr, consumerGroup: 'CG', consumeFromWhere, onError: () => undefined });
  const got: MessageExt[] = [];
  client.subscribe('T', 'A || B');
  client.consumeConcurrently(async ([message], context) => {
    got.push(message!);
    assert.is(context.messageQueue.brokerName, 'broker-a');
    if (message!.bodyText === 'later') return 'RECONSUME_LATER';
    if (message!.bodyText === 'throws') throw new Error('broken');
    return 'CONSUME_SUCCESS';
  });
  const ask = async (code: number, fields: ExtFields, bytes: Uint8Array | null = null): Promise<RemotingCommand> => {
    const before = fake.broker.answers.length;
    fake.ask(code, fields, bytes);
    await until(() => fake.broker.answers.length > before, 'an answer');
    return fake.broker.answers.at(-1)!;
  };
  try {
    await client.start();
    await body({ fake, got, ask });
  } finally {
    await client.shutdown();
    await fake.close();
  }
}

const tagged = (body: string) => ({ topic: 'T', body, properties: { TAGS: 'A' } });

admin('tells how the consumer is doing', () =>
  withRig(async ({ fake, got, ask }) => {
    fake.putRecord(tagged('a'));
    await until(() => got.length === 1, 'a message');
    const answer = await ask(RequestCode.GET_CONSUMER_RUNNING_INFO, { consumerGroup: 'CG', jstackEnable: 'true' });
    const info = decodeBody(answer.body, 'ConsumerRunningInfo');
    const properties = info.properties as Record<string, string>;
    assert.equal(
      ['CONSUME_TYPE', 'CONSUMEORDERLY', 'CLIENT_VERSION', 'THREADPOOL_CORE_SIZE', 'NAMESERVER_ADDR'].map(
        name => properties[`PROP_${name}`],
      ),
      ['CONSUME_PASSIVELY', 'false', 'V4_9_8', '20', `${fake.registry.address};`],
    );
    assert.ok(Math.abs(Date.now() - Number(properties.PROP_CONSUMER_START_TIMESTAMP)) < 60_000);
    const queues = messageQueueEntriesOf(info.mqTable, value => value as Record<string, unknown>);
    const [queue, state] = queues.find(([{ topic }]) => topic === 'T')!;
    assert.equal(queue, { brokerName: 'broker-a', queueId: 0, topic: 'T' });
    assert.equal([state.commitOffset, state.cachedMsgCount, state.droped, state.locked], [1, 0, false, false]);
    const status = (info.statusTable as Record<string, Record<string, number>>).T!;
    assert.ok(status.consumeOKTPS! > 0 && status.pullTPS! > 0);
    assert.match(String(info.jstack), /^Node\.js v/);
    const subscription = (info.subscriptionSet as { topic: string; subString: string }[]).find(
      ({ topic }) => topic === 'T',
    );
    assert.is(subscription!.subString, 'A || B');
  }),
);

admin('consumes a message at once and says what came of it', () =>
  withRig(async ({ fake, got, ask }) => {
    const results = { fine: 'CR_SUCCESS', later: 'CR_LATER', throws: 'CR_THROW_EXCEPTION' };
    for (const [body, expected] of Object.entries(results)) {
      const fields = { consumerGroup: 'CG', brokerName: 'broker-a' };
      const answer = await ask(RequestCode.CONSUME_MESSAGE_DIRECTLY, fields, encodeFakeRecord(tagged(body)));
      const { consumeResult, order, autoCommit, remark } = decodeBody(answer.body, 'result');
      assert.equal([consumeResult, order, autoCommit], [expected, false, true]);
      assert.is(remark, body === 'throws' ? 'broken' : undefined);
    }
    assert.is(got.length, 3);
    assert.is(fake.broker.received(RequestCode.CONSUMER_SEND_MSG_BACK).length, 0, 'nothing follows from it');
  }),
);

admin('sets offsets, and says where it is', () =>
  withRig(async ({ fake, got, ask }) => {
    for (const body of ['a', 'b', 'c']) fake.putRecord(tagged(body));
    await until(() => got.length === 3, 'three messages');
    const queue = { brokerName: 'broker-a', queueId: 0, topic: 'T' };
    const body = encodeBody({ offsetTable: messageQueueMap([[queue, 1]]) });
    fake.ask(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, { topic: 'T', group: 'other' }, body, true);
    fake.ask(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, { topic: 'T', group: 'CG' }, body, true);
    await until(() => got.length === 5, 'two messages again');
    assert.equal(
      got.map(message => message.bodyText),
      ['a', 'b', 'c', 'b', 'c'],
    );
    const answer = await ask(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, { topic: 'T', group: 'CG' });
    const table = decodeBody(answer.body, 'GetConsumerStatusBody').messageQueueTable;
    assert.equal(messageQueueEntriesOf(table, Number), [[queue, 3]]);
  }),
);

admin('answers for its own group only, and refuses what it does not know', () =>
  withRig(async ({ ask }) => {
    const foreign = await ask(RequestCode.GET_CONSUMER_RUNNING_INFO, { consumerGroup: 'other' });
    assert.equal([foreign.code, foreign.remark], [1, 'The Consumer Group <other> not exist in this consumer']);
    assert.is((await ask(4711, {})).code, 3);
  }),
);

admin.run();
