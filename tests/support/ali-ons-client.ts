/**
 * Sends and consumes with ali-ons, a client for Node that others wrote, and prints what came of it as one line of JSON.
 * A program of its own, because ali-ons goes on asking its servers after close(): the process is ended instead.
 *
 *   node dist/tests/support/ali-ons-client.js NAME_SERVER TOPIC COUNT
 *   node dist/tests/support/ali-ons-client.js consume NAME_SERVER TOPIC GROUP    # a body a line, until it is ended
 */
import { createRequire } from 'node:module';

interface AliMessage {
  keys: string | string[];
  readonly body: Buffer;
}

interface AliProducer {
  ready(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
  send(
    message: AliMessage,
  ): Promise<{ sendStatus: string; msgId: string; messageQueue: { queueId: number }; queueOffset: number }>;
}

interface AliConsumer {
  on(event: 'error', listener: (error: Error) => void): void;
  subscribe(topic: string, expression: string, handler: (message: AliMessage) => Promise<void>): void;
}

/** The part of ali-ons (it ships no types) that is used here. */
interface AliOns {
  readonly Message: new (topic: string, tags: string, body: string) => AliMessage;
  readonly Producer: new (options: object) => AliProducer;
  readonly Consumer: new (options: object) => AliConsumer;
}

export interface AliOnsResult {
  readonly sent: readonly { status: string; msgId: string; place: string }[];
  /** The bodies that a consumer of TagB got. */
  readonly consumed: readonly string[];
  readonly errors: readonly string[];
}

/** Message `index` of `count`: text beyond ASCII; the last one is long enough to be compressed. */
export function aliOnsBody(index: number, count: number): string {
  return index === count - 1 ? 'long '.repeat(2000) : `message ${index} 消息 ü`;
}

export function aliOnsTag(index: number): string {
  return index % 2 === 0 ? 'TagA' : 'TagB';
}

const consumeLimitMs = 60_000;
const aliOns: AliOns = createRequire(import.meta.url)('ali-ons');

const optionsFor = (nameServer: string, note: (error: Error) => void) => ({
  nameSrv: nameServer,
  httpclient: {}, // only asked when the name servers have to be looked up
  rebalanceInterval: 1000,
  logger: { debug() {}, info() {}, warn() {}, error: note },
});

/** A member of a group, for as long as the process lives. */
function consumeOn(nameServer: string, topic: string, consumerGroup: string): void {
  const quiet = (): void => {};
  const consumer = new aliOns.Consumer({ ...optionsFor(nameServer, quiet), consumerGroup });
  consumer.on('error', quiet);
  consumer.subscribe(topic, '*', async message => {
    process.stdout.write(`${message.body}\n`);
  });
}

async function main(nameServer: string, topic: string, count: number): Promise<AliOnsResult> {
  const { Message, Producer, Consumer } = aliOns;
  const errors: string[] = [];
  const note = (error: Error) => errors.push(String(error));
  const options = optionsFor(nameServer, note);
  const producer = new Producer({ ...options, producerGroup: 'ali_ons_producers' });
  producer.on('error', note);
  await producer.ready();
  const sent: AliOnsResult['sent'][number][] = [];
  for (let index = 0; index < count; index++) {
    const message = new Message(topic, aliOnsTag(index), aliOnsBody(index, count));
    message.keys = [`key${index}`];
    const { sendStatus, msgId, messageQueue, queueOffset } = await producer.send(message);
    sent.push({ status: sendStatus, msgId, place: `${messageQueue.queueId}@${queueOffset}` });
  }

  const consumed: string[] = [];
  const consumer = new Consumer({ ...options, consumerGroup: 'ali_ons_consumers' });
  consumer.on('error', note);
  await new Promise<void>(resolve => {
    setTimeout(resolve, consumeLimitMs);
    consumer.subscribe(topic, 'TagB', async message => {
      consumed.push(message.body.toString());
      if (consumed.length === Math.floor(count / 2)) resolve();
    });
  });
  return { sent, consumed, errors };
}

const words = process.argv.slice(2);
if (import.meta.filename === process.argv[1] && words.length >= 3) {
  const [first, second, third, fourth] = words as [string, string, string, string];
  if (first === 'consume') consumeOn(second, third, fourth);
  else {
    const result = await main(first, second, Number(third));
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  }
}
