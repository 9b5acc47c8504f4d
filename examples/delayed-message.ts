/**
 * Sends a message that is delivered later.
 *
 *   node dist/examples/delayed-message.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { Producer, PushConsumer } from '../client/index.js';

const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'DelayedMessageExample';

await using producer = new Producer({ namesrvAddr, producerGroup: 'delayed-example-producers' });
await producer.start();
// Levels 1 to 18 are 1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h, unless the broker says otherwise.
const { msgId } = await producer.send({ topic, body: 'a second later', delayLevel: 1 });

let announce = (): void => {};
const delivered = new Promise<void>(resolve => {
  announce = resolve;
});
await using consumer = new PushConsumer({
  namesrvAddr,
  consumerGroup: 'delayed-example-consumers',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
});
consumer.subscribe(topic);
consumer.consumeConcurrently(async ([message]) => {
  if (message!.msgId !== msgId) return; // of an earlier run
  const seconds = (message!.storeTimestamp - message!.bornTimestamp) / 1000;
  console.log(`"${message!.bodyText}" was delivered after ${seconds.toFixed(1)} s`);
  announce();
});
await consumer.start();
await delivered;
