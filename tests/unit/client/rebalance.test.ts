import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MessageExt } from '../../../client/message-ext.js';
import { PushConsumer } from '../../../client/push-consumer.js';
import type { PushConsumerOptions } from '../../../client/push-consumer-options.js';
import { RequestCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const rebalance = suite('client/rebalance');

const { GET_CONSUMER_LIST_BY_GROUP, HEART_BEAT, LOCK_BATCH_MQ, NOTIFY_CONSUMER_IDS_CHANGED } = RequestCode;

async function withRig(
  options: Partial<PushConsumerOptions>,
  body: (fake: FakeMessageBroker, client: PushConsumer) => Promise<void>,
): Promise<void> {
  const fake = await FakeMessageBroker.listen({ T: 4 });
  const client = new PushConsumer({
    namesrvAddr: fake.address,
    consumerGroup: 'CG',
    persistConsumerOffsetIntervalMs: 60_000,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onError: () => undefined,
    ...options,
  });
  client.subscribe('T');
  try {
    await body(fake, client);
  } finally {
    await client.shutdown();
    await fake.close();
  }
}

const queueIds = (client: PushConsumer): number[] =>
  client
    .assignedQueues('T')
    .map(({ queueId }) => queueId)
    .sort();

rebalance('gives queues away when a member comes, and stores what was consumed of them first', () =>
  withRig({}, async (fake, client) => {
    const got: MessageExt[] = [];
    client.consumeConcurrently(async messages => {
      got.push(...messages);
    });
    await client.start();
    assert.equal(queueIds(client), [0, 1, 2, 3]);
    fake.put('T', 3, 'a', 'b');
    await until(() => got.length === 2, 'two messages');
    // It comes last in the order of members, so the later half of the queues falls to it.
    fake.others = ['~other'];
    fake.ask(NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: 'CG' }, null, true);
    await until(() => queueIds(client).length === 2, 'two queues to go');
    assert.equal(queueIds(client), [0, 1]);
    assert.is(fake.offsets.get('T@3'), 2);
    fake.put('T', 3, 'not ours');
    fake.others = [];
    fake.offsets.set('T@3', 3);
    fake.ask(NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: 'CG' }, null, true);
    await until(() => queueIds(client).length === 4, 'the queues to come back');
    fake.put('T', 3, 'ours');
    await until(() => got.length === 3, 'a message of a queue that came back');
    assert.is(got[2]!.bodyText, 'ours', 'it begins where the other member ended');
  }),
);

rebalance('gives up nothing when the broker does not know this member, and tells it again', () =>
  withRig({ rebalanceIntervalMs: 30 }, async (fake, client) => {
    client.consumeConcurrently(async () => {});
    await client.start();
    const beats = fake.broker.received(HEART_BEAT).length;
    const known = { consumerIdList: [client.clientId] };
    for (const list of [{ consumerIdList: ['other'] }, undefined]) {
      let asked = 0;
      fake.broker.on(GET_CONSUMER_LIST_BY_GROUP, request => {
        asked++;
        const body = list === undefined ? null : Buffer.from(JSON.stringify(list));
        return createResponse(request, list === undefined ? 1 : 0, null, {}, body);
      });
      await until(() => asked >= 3, 'three rounds');
      assert.equal(queueIds(client), [0, 1, 2, 3]);
    }
    assert.ok(fake.broker.received(HEART_BEAT).length > beats, 'heartbeats ahead of time');
    fake.broker.on(GET_CONSUMER_LIST_BY_GROUP, request =>
      createResponse(request, 0, null, {}, Buffer.from(JSON.stringify(known))),
    );
  }),
);

rebalance('takes queues that a topic gains, and a topic that comes later', () =>
  withRig({ rebalanceIntervalMs: 30, pollNameServerIntervalMs: 30 }, async (fake, client) => {
    client.consumeConcurrently(async () => {});
    client.subscribe('Later');
    await client.start();
    fake.addTopic('T', 6);
    await until(() => queueIds(client).length === 6, 'the new queues');
    fake.addTopic('Later', 1);
    await until(() => client.assignedQueues('Later').length === 1, 'the queue of the new topic');
  }),
);

rebalance('tells the broker of a changed division with a greater version, before it pulls', () =>
  withRig({}, async (fake, client) => {
    client.consumeConcurrently(async () => {});
    await client.start();
    await until(() => fake.broker.received(RequestCode.PULL_MESSAGE).length >= 4, 'the pulls');
    const { requests } = fake.broker;
    const pull = requests.find(({ code }) => code === RequestCode.PULL_MESSAGE)!;
    const told = requests.slice(0, requests.indexOf(pull)).filter(({ code }) => code === HEART_BEAT);
    const version = JSON.parse(Buffer.from(told.at(-1)!.body!).toString()).consumerDataSet[0].subscriptionDataSet[0];
    assert.is(pull.extFields.subVersion, String(version.subVersion));
  }),
);

rebalance('takes a queue for ordered consumption only with its lock, and gives the lock back', () =>
  withRig({ rebalanceIntervalMs: 30 }, async (fake, client) => {
    client.consumeOrderly(async () => {});
    fake.lockedByOthers.add('T@2');
    await client.start();
    assert.equal(queueIds(client), [0, 1, 3]);
    const [request] = fake.broker.received(LOCK_BATCH_MQ);
    const { clientId, consumerGroup, mqSet } = JSON.parse(Buffer.from(request!.body!).toString());
    assert.equal([clientId, consumerGroup, mqSet.length], [client.clientId, 'CG', 4]);
    assert.equal(mqSet[0], { brokerName: 'broker-a', queueId: 0, topic: 'T' });
    fake.lockedByOthers.clear();
    await until(() => queueIds(client).length === 4, 'the lock');
    await client.shutdown();
    const unlocked = fake.broker.received(RequestCode.UNLOCK_BATCH_MQ).length;
    assert.is(unlocked, 4);
  }),
);

rebalance('does not give away a queue whose ordered listener runs', () =>
  withRig({ rebalanceIntervalMs: 30 }, async (fake, client) => {
    let finish = (): void => {};
    client.consumeOrderly(async () => {
      await new Promise<void>(resolve => {
        finish = resolve;
      });
    });
    await client.start();
    fake.put('T', 3, 'a', 'b');
    await until(
      () => fake.broker.received(RequestCode.PULL_MESSAGE).some(({ extFields }) => extFields.queueOffset === '2'),
      'a pull',
    );
    const rounds = (): number => fake.broker.received(GET_CONSUMER_LIST_BY_GROUP).length;
    const before = rounds();
    fake.others = ['~other'];
    // The round that sees the other member waits for the listener, and the next one does not begin before it gave up.
    await until(() => rounds() >= before + 3, 'further rounds');
    assert.equal(queueIds(client), [0, 1, 3], 'only the queue without a listener is gone');
    finish();
    await until(() => queueIds(client).length === 2, 'the other queue to go');
    assert.is(fake.offsets.get('T@3'), 1, 'with the message that was consumed meanwhile');
  }),
);

rebalance('a broadcast takes all queues and asks no broker who else there is', () =>
  withRig({ messageModel: 'BROADCASTING', localOffsetStoreDir: '/nonexistent' }, async (fake, client) => {
    client.consumeConcurrently(async () => {});
    fake.others = ['another', '~other'];
    await client.start();
    assert.equal(queueIds(client), [0, 1, 2, 3]);
    assert.match(client.clientId, /@DEFAULT$/);
    const codes = new Set(fake.broker.requests.map(({ code }) => code));
    assert.not.ok(codes.has(GET_CONSUMER_LIST_BY_GROUP));
    assert.not.ok(codes.has(RequestCode.QUERY_CONSUMER_OFFSET));
    assert.equal(
      fake.lastHeartbeat().consumerDataSet[0]!.subscriptionDataSet.map(({ topic }) => topic),
      ['T'],
    );
  }),
);

rebalance.run();
