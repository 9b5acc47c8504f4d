import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MessageListenerOrderly } from '../../../client/message-listener.js';
import { PushConsumer } from '../../../client/push-consumer.js';
import type { PushConsumerOptions } from '../../../client/push-consumer-options.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const orderly = suite('client/consume-orderly');

async function consume(
  options: Partial<PushConsumerOptions>,
  listener: MessageListenerOrderly,
  body: (fake: FakeMessageBroker, client: PushConsumer, reports: string[]) => Promise<void>,
): Promise<void> {
  const fake = await FakeMessageBroker.listen({ T: 2, '%RETRY%CG': 1 });
  const reports: string[] = [];
  const client = new PushConsumer({
    namesrvAddr: fake.address,
    consumerGroup: 'CG',
    persistConsumerOffsetIntervalMs: 20,
    suspendCurrentQueueTimeMs: 10,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onError: (_error, what) => reports.push(what),
    ...options,
  });
  client.subscribe('T');
  client.consumeOrderly(listener);
  try {
    await client.start();
    await body(fake, client, reports);
  } finally {
    await client.shutdown();
    await fake.close();
  }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`);

orderly('calls the listener of a queue once at a time, queues side by side', () => {
  const running = new Map<number, number>();
  const got = new Map<number, string[]>([
    [0, []],
    [1, []],
  ]);
  let together = 0;
  const listener: MessageListenerOrderly = async ([message], { messageQueue: { queueId } }) => {
    running.set(queueId, (running.get(queueId) ?? 0) + 1);
    assert.is(running.get(queueId), 1);
    together = Math.max(
      together,
      [...running.values()].reduce((sum, count) => sum + count, 0),
    );
    await new Promise(resolve => setImmediate(resolve));
    got.get(queueId)!.push(message!.bodyText);
    running.set(queueId, running.get(queueId)! - 1);
  };
  return consume({}, listener, async fake => {
    for (const queueId of [0, 1]) fake.put('T', queueId, ...numbers(40));
    await until(() => fake.offsets.get('T@0') === 40 && fake.offsets.get('T@1') === 40, 'both queues to be consumed');
    assert.equal([got.get(0), got.get(1)], [numbers(40), numbers(40)]);
    assert.is(together, 2);
  });
});

orderly('a message that fails holds up those after it', () => {
  const got: string[] = [];
  const listener: MessageListenerOrderly = async ([message]) => {
    got.push(`${message!.bodyText}/${message!.reconsumeTimes}`);
    if (message!.bodyText === '1' && message!.reconsumeTimes < 2) throw new Error('not yet');
    return 'SUCCESS';
  };
  return consume({}, listener, async (fake, _client, reports) => {
    fake.put('T', 0, ...numbers(3));
    await until(() => fake.offsets.get('T@0') === 3, 'all to be consumed');
    assert.equal(got, ['0/0', '1/0', '1/1', '1/2', '2/0']);
    assert.equal(reports, Array(2).fill('consuming ID-T-0-1 of T@broker-a@0'));
  });
});

orderly('a message that failed too often becomes a dead letter', () => {
  const got: string[] = [];
  const listener: MessageListenerOrderly = async ([message]) => {
    got.push(message!.bodyText);
    return message!.bodyText === 'bad' ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : 'SUCCESS';
  };
  return consume({ maxReconsumeTimes: 2 }, listener, async (fake, _client, reports) => {
    fake.broker.on(RequestCode.SEND_MESSAGE_V2, request =>
      createResponse(request, reports.length === 0 ? ResponseCode.MESSAGE_ILLEGAL : 0, null, { msgId: 'ID' }),
    );
    fake.put('T', 0, 'bad', 'good');
    await until(() => fake.offsets.get('T@0') === 2, 'all to be done with');
    assert.equal(got, ['bad', 'bad', 'bad', 'bad', 'good'], 'once more while it could not be sent');
    assert.equal(reports, ['making message ID-T-0-0 a dead letter']);
    const { b, j, l } = fake.broker.received(RequestCode.SEND_MESSAGE_V2).at(-1)!.extFields;
    assert.equal([b, j, l], ['%RETRY%CG', '3', '2']);
  });
});

orderly('commits and rolls back at the listener’s word when autoCommit is off', () => {
  const got: string[] = [];
  let rolledBack = false;
  const listener: MessageListenerOrderly = async ([message], context) => {
    context.autoCommit = false;
    got.push(message!.bodyText);
    if (message!.bodyText === '1') return 'COMMIT';
    if (message!.bodyText !== '3' || rolledBack) return 'SUCCESS';
    rolledBack = true;
    return 'ROLLBACK';
  };
  return consume({}, listener, async fake => {
    fake.put('T', 0, ...numbers(5));
    await until(() => got.length === 7, 'seven calls');
    assert.equal(got, ['0', '1', '2', '3', '2', '3', '4']);
    await until(() => fake.offsets.get('T@0') === 2, 'the offset of the commit');
    await new Promise(resolve => setTimeout(resolve, 60)); // three rounds of storing offsets
    assert.is(fake.offsets.get('T@0'), 2, 'what is not committed is not stored');
  });
});

orderly('stops when the lock is lost, and goes on when it is back', () => {
  const got: string[] = [];
  const listener: MessageListenerOrderly = async ([message]) => {
    got.push(message!.bodyText);
  };
  return consume({}, listener, async (fake, client) => {
    fake.put('T', 0, 'a');
    await until(() => got.length === 1, 'the first message');
    // 30 s later, the broker having refused to renew it.
    const now = Date.now;
    const asked = fake.broker.received(RequestCode.LOCK_BATCH_MQ).length;
    try {
      Date.now = () => now() + 31_000;
      fake.lockedByOthers.add('T@0');
      fake.put('T', 0, 'b');
      await until(() => fake.broker.received(RequestCode.LOCK_BATCH_MQ).length > asked, 'an attempt to get the lock');
      assert.is(got.length, 1);
      fake.lockedByOthers.clear();
      await until(() => got.length === 2, 'the next message');
    } finally {
      Date.now = now;
    }
    assert.is(client.assignedQueues('T').length, 2);
  });
});

orderly.run();
