import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PushConsumer } from '../../../client/push-consumer.js';
import { RequestCode } from '../../../protocol/codes.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const heartbeat = suite('client/heartbeat');

const { HEART_BEAT, PULL_MESSAGE } = RequestCode;

heartbeat('a broker that lost the connection hears from the client before anything else', async () => {
  const fake = await FakeMessageBroker.listen({ T: 1 });
  const options = { consumerGroup: 'CG', pullTimeDelayWhenExceptionMs: 10, onError: () => undefined };
  const client = new PushConsumer({ ...options, namesrvAddr: fake.address });
  client.subscribe('T');
  client.consumeConcurrently(async () => {});
  try {
    await client.start();
    await until(() => fake.broker.received(PULL_MESSAGE).length > 0, 'a pull');
    const before = fake.broker.requests.length;
    fake.broker.cut();
    await until(() => fake.broker.requests.slice(before).some(({ code }) => code === PULL_MESSAGE), 'a pull again');
    assert.is(fake.broker.requests[before]!.code, HEART_BEAT);
  } finally {
    await client.shutdown();
    await fake.close();
  }
});

heartbeat('goes to every broker again and again', async () => {
  const fake = await FakeMessageBroker.listen({ T: 1 });
  const client = new PushConsumer({
    namesrvAddr: fake.address,
    consumerGroup: 'CG',
    heartbeatBrokerIntervalMs: 20,
    instanceName: 'named',
  });
  client.subscribe('T');
  client.consumeConcurrently(async () => {});
  try {
    await client.start();
    const before = fake.broker.received(HEART_BEAT).length;
    await until(() => fake.broker.received(HEART_BEAT).length >= before + 3, 'three more');
    assert.match(fake.lastHeartbeat().clientID, /^[\d.]+@named$/);
  } finally {
    await client.shutdown();
    await fake.close();
  }
});

heartbeat.run();
