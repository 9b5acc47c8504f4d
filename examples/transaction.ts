/**
 * Sends orders whose payment may fail: only those that were paid become visible.
 *
 *   node dist/examples/transaction.js [name server address]
 *
 * Needs a running name server and broker: `npm start` brings up both.
 */
import { PushConsumer, TransactionProducer } from '../client/index.js';

const namesrvAddr = process.argv[2] ?? '127.0.0.1:9876';
const topic = 'TransactionExample';

interface Order {
  readonly id: string;
  readonly amount: number;
}

/** Stands for a database. */
const paid = new Map<string, boolean>();
const pay = (order: Order): boolean => {
  const isPaid = order.amount <= 100;
  paid.set(order.id, isPaid);
  return isPaid;
};

await using producer = new TransactionProducer<Order>({
  namesrvAddr,
  producerGroup: 'transaction-example-producers',
  executeLocalTransaction: async (_message, order) => (pay(order) ? 'COMMIT_MESSAGE' : 'ROLLBACK_MESSAGE'),
  // The broker asks when this program could not tell it the outcome; a message it does not know yet stays open.
  checkLocalTransaction: async message => {
    const isPaid = paid.get(message.keys[0] ?? '');
    if (isPaid === undefined) return 'UNKNOW';
    return isPaid ? 'COMMIT_MESSAGE' : 'ROLLBACK_MESSAGE';
  },
});
await producer.start();

const run = `${process.pid}`;
const orders: readonly Order[] = [
  { id: `${run}-1`, amount: 30 },
  { id: `${run}-2`, amount: 3000 },
  { id: `${run}-3`, amount: 99 },
];
for (const order of orders) {
  const message = { topic, keys: order.id, body: JSON.stringify(order) };
  const { localTransactionState } = await producer.sendMessageInTransaction(message, order);
  console.log(`order over ${order.amount}: ${localTransactionState}`);
}

const expected = orders.filter(order => paid.get(order.id)).map(order => order.id);
const seen = new Set<string>();
let announceAll = (): void => {};
const all = new Promise<void>(resolve => {
  announceAll = resolve;
});
await using consumer = new PushConsumer({
  namesrvAddr,
  consumerGroup: 'transaction-example-consumers',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
});
consumer.subscribe(topic);
consumer.consumeConcurrently(async ([message]) => {
  const order: Order = JSON.parse(message!.bodyText);
  if (!order.id.startsWith(`${run}-`)) return; // of an earlier run
  console.log(`consumed the order over ${order.amount}`);
  seen.add(order.id);
  if (expected.every(id => seen.has(id))) announceAll();
});
await consumer.start();
await all;
