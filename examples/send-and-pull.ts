/**
 * Sends five messages and reads them back.
 *
 *   node dist/examples/send-and-pull.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { type MessageQueue, Producer, PullConsumer } from '../client/index.js';

// Clients ask the name server where brokers are. That is the only address they are told.
const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'SendAndPull';

// `await using` shuts both clients down at the end, also after an error.
await using producer = new Producer({ namesrvAddr, producerGroup: 'send-and-pull-producers' });
await using consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'send-and-pull-consumers' });
await producer.start();
await consumer.start();

// A topic consists of queues. Each message goes to one of them, in turn, and gets the next offset of that queue.
// The topic need not exist: the broker creates it when the first message comes.
const sent = new Map<string, { queue: MessageQueue; offset: number }>();
for (let number = 1; number <= 5; number++) {
  const result = await producer.send({
    topic,
    tags: 'example',
    keys: `order-${number}`,
    body: `Hello number ${number}`,
  });
  const { messageQueue: queue, queueOffset: offset } = result;
  console.log(`sent   ${result.msgId} to ${queue.brokerName}, queue ${queue.queueId}, offset ${offset}`);
  sent.set(result.msgId, { queue, offset });
}

// A pull consumer reads any queue from any offset. At the end of a queue the broker waits for a message to arrive.
for (const [msgId, { queue, offset }] of sent) {
  const { messages } = await consumer.pullBlockIfNotFound(queue, 'example', offset, 1);
  const message = messages.find(each => each.msgId === msgId);
  if (message === undefined) throw new Error(`message ${msgId} was not found at offset ${offset}`);
  console.log(`pulled ${message.msgId}: ${message.bodyText} (keys: ${message.keys.join(', ')})`);
}
