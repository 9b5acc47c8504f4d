/**
 * Consumes messages as they come, two members of one group sharing the work; some fail and come again.
 *
 *   node dist/examples/push-consumer.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { Producer, PushConsumer } from '../client/index.js';

const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'PushConsumerExample';
const count = 10;

await using producer = new Producer({ namesrvAddr, producerGroup: 'push-example-producers' });
await producer.start();
// The first message creates the topic; members of a group find it when they start.
await producer.send({ topic, body: 'order 0' });

const consumed = new Set<string>();
let announceAll = (): void => {};
const all = new Promise<void>(resolve => {
  announceAll = resolve;
});

function createMember(name: string): PushConsumer {
  const consumer = new PushConsumer({
    namesrvAddr,
    consumerGroup: 'push-example-consumers',
    // A group that is new begins with the oldest message, and not with what comes from now on.
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  });
  consumer.subscribe(topic);
  // Several calls run at a time. What throws, or returns 'RECONSUME_LATER', comes again after a pause of the broker.
  consumer.consumeConcurrently(async messages => {
    for (const message of messages) {
      console.log(`${name} consumed ${message.bodyText}`);
      consumed.add(message.bodyText);
    }
    if (consumed.size === count) announceAll();
  });
  return consumer;
}

// Each member has half of the queues while both run. Delivery is at least once: what one consumes while its queue goes
// over to the other may be seen by both, which is why the orders are counted in a set.
await using first = createMember('first');
await using second = createMember('second');
await Promise.all([first.start(), second.start()]);
for (let number = 1; number < count; number++) await producer.send({ topic, body: `order ${number}` });

await all;
console.log(`all ${consumed.size} orders were consumed`);
// A shutdown waits for what runs, stores how far it came, and leaves the group: the others take over at once.
