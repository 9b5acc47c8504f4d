/**
 * Asks a question by message and waits for the answer.
 *
 *   node dist/examples/request-reply.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { createReplyMessage, Producer, PushConsumer } from '../client/index.js';

const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'RequestReplyExample';

// Who answers consumes the requests and sends replies; any producer does.
await using answering = new Producer({ namesrvAddr, producerGroup: 'request-example-answering' });
await using consumer = new PushConsumer({ namesrvAddr, consumerGroup: 'request-example-consumers' });
consumer.subscribe(topic);
consumer.consumeConcurrently(async ([message]) => {
  const { left, right } = JSON.parse(message!.bodyText);
  await answering.send(createReplyMessage(message!, String(left + right)));
});

// Who asks is found by the broker under its client id, so the same producer that sent the request gets the reply.
await using asking = new Producer({ namesrvAddr, producerGroup: 'request-example-asking' });
await answering.start();
await asking.start();
await consumer.start();
const reply = await asking.request({ topic, body: JSON.stringify({ left: 20, right: 22 }) }, 30_000);
console.log(`20 + 22 = ${reply.bodyText}`);
