/**
 * Sends messages that become visible only if a local transaction succeeds. It is the TypeScript edition of the program
 * Producer.java of a widely copied introduction to RocketMQ clusters.
 *
 *   node dist/examples/article-producer.js [name server addresses] [rounds] [pause between them, ms]
 *
 * Each round sends one message to each of three topics; there are ten, a second apart, unless told otherwise.
 */
import { setTimeout } from 'node:timers/promises';
import { type LocalTransactionExecutor, type Message, TransactionProducer } from '../client/index.js';

const [namesrvAddr = '127.0.0.1:9876', rounds = '10', pauseMs = '1000'] = process.argv.slice(2);

/** Called when the broker has the message and shows it to nobody yet. What it returns decides. */
const executeLocalTransaction: LocalTransactionExecutor<string> = async (message, argument) => {
  console.log(`executeLocalTransaction--msg=${message.body}`);
  console.log(`executeLocalTransaction--arg=${argument}`);
  return 'COMMIT_MESSAGE';
};

// The producer group matters here: to learn how a transaction ended, the broker asks any member of the group.
await using producer = new TransactionProducer<string>({
  namesrvAddr,
  producerGroup: 'ProducerGroupName',
  instanceName: 'Producer',
  executeLocalTransaction,
  // Called when the broker was not told, because this program ended in between or said UNKNOW.
  checkLocalTransaction: async message => {
    console.log(`checkLocalTransaction--${message.bodyText}`);
    return 'COMMIT_MESSAGE';
  },
});
await producer.start();

const messages: readonly Message[] = [
  { topic: 'TopicTest1', tags: 'TagA', keys: 'OrderID001', body: 'Hello MetaQA' },
  { topic: 'TopicTest2', tags: 'TagB', keys: 'OrderID0034', body: 'Hello MetaQB' },
  { topic: 'TopicTest3', tags: 'TagC', keys: 'OrderID061', body: 'Hello MetaQC' },
];
for (let round = 0; round < Number(rounds); round++) {
  try {
    for (const message of messages) {
      // A result means that the message is stored; its status says how safely.
      const { sendStatus, msgId, messageQueue } = await producer.sendMessageInTransaction(message, '$$$$$$$');
      console.log(`${sendStatus} ${msgId} ${messageQueue.topic}, queue ${messageQueue.queueId}`);
    }
  } catch (error) {
    console.error(error);
  }
  await setTimeout(Number(pauseMs));
}
// `await using` shuts the producer down here: it leaves its group and closes its connections.
