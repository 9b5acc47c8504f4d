/**
 * Reads every queue of TopicTest1 to its end, at the program's own pace. It is the TypeScript edition of the program
 * Consumer.java of a widely copied introduction to RocketMQ clusters.
 *
 *   node dist/examples/article-consumer.js [name server addresses] [how long a pull may wait, ms]
 *
 * Needs a topic TopicTest1: article-producer makes it. As there, the pull at the end of each queue waits for a message
 * (20 seconds unless told) before the program goes on to the next queue.
 */
import { setTimeout } from 'node:timers/promises';
import { type MessageQueue, PullConsumer } from '../client/index.js';

const [namesrvAddr = '127.0.0.1:9876', brokerSuspendMaxTimeMs = '20000'] = process.argv.slice(2);

/** Where to go on in each queue. A program that is to go on after a restart keeps this in a safe place. */
const offsetTable = new Map<MessageQueue, number>();

// A program makes one consumer and keeps it. Its group names what it does: all members of a group do the same.
await using consumer = new PullConsumer({
  namesrvAddr,
  consumerGroup: 'ConsumerGroupName',
  instanceName: 'Consumer',
  brokerSuspendMaxTimeMs: Number(brokerSuspendMaxTimeMs),
});
await consumer.start();

for (const queue of await consumer.fetchSubscribeMessageQueues('TopicTest1')) {
  console.log(`Consume from the queue: ${queue.brokerName}, queue ${queue.queueId}`);
  let isAtEnd = false;
  while (!isAtEnd) {
    try {
      const offset = offsetTable.get(queue) ?? 0;
      const { messages, nextBeginOffset, pullStatus } = await consumer.pullBlockIfNotFound(queue, '*', offset, 32);
      for (const message of messages) console.log(message.bodyText);
      console.log(nextBeginOffset);
      offsetTable.set(queue, nextBeginOffset);
      // FOUND, NO_MATCHED_MSG and OFFSET_ILLEGAL all mean: go on from nextBeginOffset.
      isAtEnd = pullStatus === 'NO_NEW_MSG';
    } catch (error) {
      // As in the original, a failure is told and tried again.
      console.error(error);
      await setTimeout(1000);
    }
  }
}
