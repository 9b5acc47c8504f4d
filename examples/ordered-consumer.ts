/**
 * Consumes the messages of each customer in the order they were sent, however many are consumed at a time.
 *
 *   node dist/examples/ordered-consumer.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { Producer, PushConsumer } from '../client/index.js';

const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'OrderedConsumerExample';
const customers = ['Ada', 'Grace', 'Edsger'];
const steps = ['ordered', 'paid', 'shipped'];

await using producer = new Producer({ namesrvAddr, producerGroup: 'ordered-example-producers' });
await producer.start();
for (const step of steps) {
  for (const [index, customer] of customers.entries()) {
    // Order is kept within a queue, so all messages of a customer go to the same one.
    await producer.send({ topic, body: `${customer}: ${step}` }, { selector: queues => queues[index % queues.length] });
  }
}

let left = steps.length * customers.length;
let announceAll = (): void => {};
const all = new Promise<void>(resolve => {
  announceAll = resolve;
});
await using consumer = new PushConsumer({
  namesrvAddr,
  // A group of its own for each run: it begins with the oldest message.
  consumerGroup: `ordered-example-${process.pid}`,
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
});
consumer.subscribe(topic);
let failures = 0;
consumer.consumeOrderly(async ([message]) => {
  // A message that fails is given again after a pause, and those behind it in its queue wait.
  if (message!.bodyText === 'Grace: paid' && failures++ === 0) return 'SUSPEND_CURRENT_QUEUE_A_MOMENT';
  console.log(message!.bodyText);
  if (--left === 0) announceAll();
  return 'SUCCESS';
});
await consumer.start();
await all;
