import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MQClientError } from '../../../client/errors.js';
import type { MessageExt } from '../../../client/message-ext.js';
import { PushConsumer } from '../../../client/push-consumer.js';
import type { PushConsumerOptions } from '../../../client/push-consumer-options.js';
import { MessageSelector } from '../../../client/subscription.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { rejectionOf } from '../../support/fake-broker.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const consumer = suite('client/push-consumer');

interface Rig {
  readonly fake: FakeMessageBroker;
  readonly consumer: PushConsumer;
  /** What was reported to `onError`. */
  readonly reports: string[];
}

/** A broker with topic T of two queues, and a consumer of it that is not started. */
async function withRig(options: Partial<PushConsumerOptions>, body: (rig: Rig) => Promise<void>): Promise<void> {
  const fake = await FakeMessageBroker.listen({ T: 2, '%RETRY%CG': 1 });
  const reports: string[] = [];
  const client = new PushConsumer({
    namesrvAddr: fake.address,
    consumerGroup: 'CG',
    persistConsumerOffsetIntervalMs: 20,
    pullTimeDelayWhenExceptionMs: 20,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    onError: (_error, what) => reports.push(what),
    ...options,
  });
  try {
    await body({ fake, consumer: client, reports });
  } finally {
    await client.shutdown();
    await fake.close();
  }
}

/** Subscribes to all of T, keeps what comes, and starts. */
async function collect(client: PushConsumer): Promise<MessageExt[]> {
  const got: MessageExt[] = [];
  client.subscribe('T');
  client.consumeConcurrently(async messages => {
    got.push(...messages);
  });
  await client.start();
  return got;
}

const texts = (messages: readonly MessageExt[]): string[] => messages.map(message => message.bodyText).sort();

const { CONSUMER_SEND_MSG_BACK, PULL_MESSAGE, SEND_MESSAGE_V2, UNREGISTER_CLIENT } = RequestCode;
/** A promise and the function that fulfils it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>(resolve => {
    open = resolve;
  });
  return { passed, open };
}

consumer('registers, takes its queues, consumes and commits', () =>
  withRig({}, async ({ fake, consumer }) => {
    fake.offsets.set('T@1', 1);
    fake.put('T', 0, 'a', 'b');
    fake.put('T', 1, 'seen', 'c');
    const got = await collect(consumer);
    await until(() => got.length === 3, 'what was there');
    fake.put('T', 0, 'd');
    await until(() => got.length === 4, 'a held pull to be answered');
    assert.equal(texts(got), ['a', 'b', 'c', 'd']);
    await until(() => fake.offsets.get('T@0') === 3 && fake.offsets.get('T@1') === 2, 'the offsets to be committed');
    const [data] = fake.lastHeartbeat().consumerDataSet;
    assert.equal([data!.groupName, data!.consumeType, data!.messageModel], ['CG', 'CONSUME_PASSIVELY', 'CLUSTERING']);
    assert.equal(data!.subscriptionDataSet.map(({ topic }) => topic).sort(), ['%RETRY%CG', 'T']);
    const fields = fake.broker.received(PULL_MESSAGE).at(-1)!.extFields;
    const { sysFlag, suspendTimeoutMillis, maxMsgNums, expressionType, subscription } = fields;
    assert.equal([suspendTimeoutMillis, maxMsgNums, expressionType, subscription], ['15000', '32', 'TAG', undefined]);
    assert.equal(Number(sysFlag) & 2, 2, 'the broker may hold it');
  }),
);

consumer('begins where it is told when the group has no offset', async () => {
  const starts = new Map([
    ['CONSUME_FROM_LAST_OFFSET', ['new']],
    ['CONSUME_FROM_FIRST_OFFSET', ['new', 'old', 'recent']],
    ['CONSUME_FROM_TIMESTAMP', ['new', 'recent']],
  ] as const);
  for (const [consumeFromWhere, expected] of starts) {
    const consumeTimestamp = new Date(1_700_000_000_000);
    await withRig({ consumeFromWhere, consumeTimestamp }, async ({ fake, consumer }) => {
      fake.put('T', 0, 'old', 'recent');
      fake.broker.on(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, request => {
        assert.is(request.extFields.timestamp, '1700000000000');
        return createResponse(request, 0, null, { offset: request.extFields.queueId === '0' ? 1 : 0 });
      });
      const got = await collect(consumer);
      fake.put('T', 0, 'new');
      await until(() => texts(got).includes('new'), 'the new message');
      assert.equal(texts(got), expected, consumeFromWhere);
    });
  }
});

consumer('sends back what a listener does not consume, as Java does', () =>
  withRig({}, async ({ fake, consumer, reports }) => {
    consumer.subscribe('T');
    consumer.consumeConcurrently(async ([message], context) => {
      if (message!.bodyText === 'throws') throw new Error('no');
      context.delayLevelWhenNextConsume = 5;
      return message!.bodyText === 'fine' ? undefined : 'RECONSUME_LATER';
    });
    await consumer.start();
    fake.put('T', 0, 'fine', 'later', 'throws');
    await until(() => fake.offsets.get('T@0') === 3, 'all to be done with');
    const back = fake.broker.received(CONSUMER_SEND_MSG_BACK).map(({ extFields }) => extFields);
    back.sort((left, right) => Number(left.offset) - Number(right.offset));
    const { offset, group, delayLevel, originMsgId, originTopic, unitMode, maxReconsumeTimes } = back[0]!;
    assert.equal(
      [offset, group, delayLevel, originMsgId, originTopic, unitMode, maxReconsumeTimes],
      ['1000', 'CG', '5', 'ID-T-0-1', 'T', 'false', '16'],
    );
    assert.equal([back.length, back[1]!.originMsgId, back[1]!.delayLevel], [2, 'ID-T-0-2', '0']);
    assert.equal(reports, ['consuming ID-T-0-2 of T@broker-a@0']);
  }),
);

consumer('sends a copy to the retry topic when the broker cannot take it back', () =>
  withRig({ maxReconsumeTimes: 3 }, async ({ fake, consumer }) => {
    fake.broker.on(CONSUMER_SEND_MSG_BACK, request => createResponse(request, ResponseCode.SYSTEM_ERROR, 'no'));
    consumer.subscribe('T');
    consumer.consumeConcurrently(async () => 'RECONSUME_LATER');
    await consumer.start();
    fake.putRecord({ topic: 'T', body: 'x', reconsumeTimes: 2, properties: { TAGS: 'A', KEYS: 'k', colour: 'red' } });
    await until(() => fake.broker.received(SEND_MESSAGE_V2).length === 1, 'the copy');
    const { a, b, i, j, l } = fake.broker.received(SEND_MESSAGE_V2)[0]!.extFields;
    assert.equal([a, b, j, l], ['CLIENT_INNER_PRODUCER', '%RETRY%CG', '3', '3']);
    const properties = Object.fromEntries(
      i!
        .split('\u0002')
        .filter(Boolean)
        .map(pair => pair.split('\u0001')),
    );
    assert.equal(properties, {
      TAGS: 'A',
      KEYS: 'k',
      colour: 'red',
      UNIQ_KEY: 'ID-T-0-0',
      RETRY_TOPIC: 'T',
      ORIGIN_MESSAGE_ID: 'ID-T-0-0',
      WAIT: 'true',
      DELAY: '5',
    });
    await until(() => fake.offsets.get('T@0') === 1, 'the offset to move on');
  }),
);

consumer('keeps a message that can go nowhere, and the offset before it', () =>
  withRig({}, async ({ fake, consumer, reports }) => {
    for (const code of [CONSUMER_SEND_MSG_BACK, SEND_MESSAGE_V2]) {
      fake.broker.on(code, request => createResponse(request, ResponseCode.MESSAGE_ILLEGAL, 'no'));
    }
    consumer.subscribe('T');
    consumer.consumeConcurrently(async ([message]) => (message!.bodyText === 'bad' ? 'RECONSUME_LATER' : undefined));
    await consumer.start();
    fake.put('T', 0, 'good', 'bad', 'good');
    await until(() => reports.includes('sending message ID-T-0-1 back'), 'the failure to be reported');
    await until(() => fake.offsets.get('T@0') === 1, 'the offset of the message that is left');
  }),
);

consumer('shows a message that is tried again under its own topic', () =>
  withRig({}, async ({ fake, consumer }) => {
    const got = await collect(consumer);
    fake.putRecord({ topic: '%RETRY%CG', body: 'x', reconsumeTimes: 1, properties: { RETRY_TOPIC: 'T' } });
    await until(() => got.length === 1, 'the message');
    assert.equal([got[0]!.topic, got[0]!.reconsumeTimes], ['T', 1]);
  }),
);

consumer('gives batches, and acknowledges a part of one', () =>
  withRig({ consumeMessageBatchMaxSize: 3 }, async ({ fake, consumer }) => {
    const sizes: number[] = [];
    consumer.subscribe('T');
    consumer.consumeConcurrently(async (messages, context) => {
      sizes.push(messages.length);
      if (messages.length === 3) context.ackIndex = 1;
    });
    fake.put('T', 0, 'a', 'b', 'c', 'd');
    await consumer.start();
    await until(() => fake.offsets.get('T@0') === 4, 'all to be done with');
    assert.equal(sizes, [3, 1]);
    const back = fake.broker.received(CONSUMER_SEND_MSG_BACK).map(({ extFields }) => extFields.originMsgId);
    assert.equal(back, ['ID-T-0-2']);
  }),
);

consumer('runs so many listeners at a time, and pulls no more than it may hold', () =>
  withRig({ consumeConcurrency: 2, pullThresholdForQueue: 4, pullBatchSize: 2 }, async ({ fake, consumer }) => {
    const { passed, open } = gate();
    let [running, most] = [0, 0];
    consumer.subscribe('T');
    consumer.consumeConcurrently(async () => {
      most = Math.max(most, ++running);
      await passed;
      running--;
    });
    fake.put('T', 0, ...Array.from({ length: 50 }, (_, n) => `${n}`));
    await consumer.start();
    const furthest = (): number =>
      Math.max(...fake.broker.received(PULL_MESSAGE).map(({ extFields }) => Number(extFields.queueOffset)));
    await until(() => furthest() === 4, 'the pulls up to the threshold');
    await new Promise(resolve => setTimeout(resolve, 150)); // three times as long as it pauses
    assert.is(furthest(), 4, 'no pull beyond it');
    open();
    await until(() => fake.offsets.get('T@0') === 50, 'everything to be consumed');
    assert.is(most, 2);
  }),
);

consumer('suspends and resumes', () =>
  withRig({}, async ({ fake, consumer }) => {
    const got = await collect(consumer);
    fake.put('T', 0, 'a');
    await until(() => got.length === 1, 'the first message');
    consumer.suspend();
    // The pulls that are held at the broker still bring something.
    fake.put('T', 0, 'b');
    fake.put('T', 1, 'b');
    fake.put('%RETRY%CG', 0, 'b');
    await until(() => got.length === 4, 'what the held pulls bring');
    const pulls = fake.broker.received(PULL_MESSAGE).length;
    fake.put('T', 0, 'c');
    await new Promise(resolve => setTimeout(resolve, 500)); // more than two looks of a suspended queue, 200 ms each
    assert.equal([fake.broker.received(PULL_MESSAGE).length, got.length], [pulls, 4]);
    consumer.resume();
    await until(() => got.length === 5, 'the message after the pause');
  }),
);

consumer('a shutdown finishes what runs, commits, and leaves the group', () =>
  withRig({ persistConsumerOffsetIntervalMs: 60_000 }, async ({ fake, consumer }) => {
    const { passed, open } = gate();
    const started: string[] = [];
    consumer.subscribe('T');
    consumer.consumeConcurrently(async ([message]) => {
      started.push(message!.bodyText);
      if (message!.bodyText === 'slow') await passed;
    });
    await consumer.start();
    fake.put('T', 0, 'quick', 'slow');
    await until(() => started.includes('slow'), 'the slow one to run');
    const ended = consumer.shutdown();
    fake.put('T', 0, 'too late');
    assert.is(fake.broker.received(UNREGISTER_CLIENT).length, 0, 'it waits');
    open();
    await ended;
    assert.equal([fake.offsets.get('T@0'), started], [2, ['quick', 'slow']]);
    const codes = fake.broker.requests.map(({ code }) => code);
    assert.is(codes.at(-1), UNREGISTER_CLIENT, 'the goodbye comes last');
    assert.equal(fake.broker.requests.at(-1)!.extFields.consumerGroup, 'CG');
  }),
);

consumer('waits no longer than it is told', () =>
  withRig({ awaitTerminationWhenShutdownMs: 30 }, async ({ fake, consumer, reports }) => {
    consumer.subscribe('T');
    const { passed, open } = gate();
    consumer.consumeConcurrently(async () => passed);
    await consumer.start();
    fake.put('T', 0, 'a');
    await until(
      () => fake.broker.received(PULL_MESSAGE).some(({ extFields }) => extFields.queueOffset === '1'),
      'a pull',
    );
    await consumer.shutdown();
    open();
    assert.equal(reports, ['shutting down']);
    assert.not.ok(fake.offsets.get('T@0'), 'its message was not consumed');
  }),
);

consumer('starts where the queue begins again when it does not reach so far', () =>
  withRig({}, async ({ fake, consumer }) => {
    fake.offsets.set('T@0', 99);
    fake.put('T', 0, 'a');
    const got = await collect(consumer);
    await until(() => fake.offsets.get('T@0') === 1, 'the offset to be corrected');
    fake.put('T', 0, 'b');
    await until(() => got.length === 1, 'the next message');
    assert.equal(texts(got), ['b']);
  }),
);

consumer('reports a pull that fails once, and goes on', () =>
  withRig({}, async ({ fake, consumer, reports }) => {
    let failing = true;
    const got = await collect(consumer);
    await until(() => fake.broker.received(PULL_MESSAGE).length >= 3, 'three pulls');
    fake.broker.on(PULL_MESSAGE, request => {
      if (failing) return createResponse(request, ResponseCode.SYSTEM_ERROR, 'no');
      const bounds = { suggestWhichBrokerId: 0, minOffset: 0, maxOffset: 9, nextBeginOffset: 9 };
      return createResponse(request, ResponseCode.PULL_NOT_FOUND, null, bounds);
    });
    fake.put('T', 0, 'a');
    await until(() => reports.length > 0, 'the failure of the pull after that message');
    const before = fake.broker.received(PULL_MESSAGE).length;
    await until(() => fake.broker.received(PULL_MESSAGE).length > before + 3, 'more attempts');
    failing = false;
    await until(() => fake.offsets.get('T@0') === 9, 'a pull that went well');
    assert.equal(reports, ['pulling T@broker-a@0']);
    assert.equal(texts(got), ['a']);
  }),
);

consumer('subscribes and unsubscribes while it runs', () =>
  withRig({}, async ({ fake, consumer }) => {
    const got = await collect(consumer);
    fake.addTopic('U', 1);
    consumer.subscribe('U', 'A');
    await until(() => consumer.assignedQueues('U').length === 1, 'the queue of U');
    fake.putRecord({ topic: 'U', body: 'wanted', properties: { TAGS: 'A' } });
    fake.putRecord({ topic: 'U', body: 'unwanted', properties: { TAGS: 'B' } });
    await until(() => fake.offsets.get('U@0') === 2, 'both to be passed');
    assert.equal(texts(got), ['wanted']);
    consumer.unsubscribe('T');
    await until(() => consumer.assignedQueues('T').length === 0, 'the queues of T to be given away');
    await until(
      () => !fake.lastHeartbeat().consumerDataSet[0]!.subscriptionDataSet.some(({ topic }) => topic === 'T'),
      'the broker to hear of it',
    );
  }),
);

consumer('refuses what cannot work', async () => {
  const base = { namesrvAddr: '127.0.0.1:1', consumerGroup: 'CG' };
  const faults: readonly (() => unknown)[] = [
    () => new PushConsumer({ ...base, consumeConcurrency: 0 }),
    () => new PushConsumer({ ...base, pullBatchSize: 2000 }),
    () => new PushConsumer({ ...base, messageModel: 'ANYCAST' as 'CLUSTERING' }),
    () => new PushConsumer({ ...base, consumerGroup: 'DEFAULT_CONSUMER' }),
    () => new PushConsumer(base).subscribe('no topic'),
    () => new PushConsumer(base).subscribe('T', ' || '),
    () => new PushConsumer(base).subscribe('T', MessageSelector.bySql(' ')),
  ];
  for (const fault of faults) assert.throws(fault, (error: MQClientError) => /INVALID|ILLEGAL/.test(error.code));
  const error = await rejectionOf(new PushConsumer(base).start());
  assert.is((error as MQClientError).code, 'INVALID_ARGUMENT');
});

consumer('asks a broker whether it takes a condition', () =>
  withRig({}, async ({ fake, consumer }) => {
    fake.broker.on(RequestCode.CHECK_CLIENT_CONFIG, request => createResponse(request, 23, 'not so'));
    consumer.subscribe('T', MessageSelector.bySql('a >'));
    consumer.consumeConcurrently(async () => {});
    const error = await rejectionOf(consumer.start());
    assert.match((error as MQClientError).message, /SUBSCRIPTION_PARSE_FAILED.*not so/);
    const [request] = fake.broker.received(RequestCode.CHECK_CLIENT_CONFIG);
    const { group, subscriptionData } = JSON.parse(Buffer.from(request!.body!).toString());
    assert.equal([group, subscriptionData.subString, subscriptionData.expressionType], ['CG', 'a >', 'SQL92']);
  }),
);

consumer('sends back what takes too long', () =>
  withRig({ consumeTimeoutMs: 50 }, async ({ fake, consumer }) => {
    const { passed, open } = gate();
    consumer.subscribe('T');
    consumer.consumeConcurrently(async () => passed);
    await consumer.start();
    fake.put('T', 0, 'hangs');
    await until(() => fake.broker.received(CONSUMER_SEND_MSG_BACK).length === 1, 'the message to go back');
    await until(() => fake.offsets.get('T@0') === 1, 'the offset to move on');
    open();
    await consumer.shutdown();
    assert.is(fake.broker.received(CONSUMER_SEND_MSG_BACK).length, 1, 'and not twice');
  }),
);

consumer.run();
