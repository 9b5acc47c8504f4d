// @limit 240
/** Spans of a broker: they join the traces of its clients, and go to a collector by OTLP. */
import { trace } from '@opentelemetry/api';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Admin, Producer, PushConsumer } from '../../../../client/index.js';
import { withClientTracing } from '../../../support/client-tracing.js';
import { freePort } from '../../../support/node-process.js';
import { type CollectedSpan, OtlpCollector } from '../../../support/otlp-collector.js';
import { pullQueue } from '../../../support/raw-requests.js';
import { withPair } from '../../../support/replica-pair.js';
import { type TestWorld, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';
import { runProgram } from '../../cli/support.js';

const telemetry = suite('actors/node: telemetry');

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE_ID}-${SPAN_ID}-01`;

async function withCollector(work: (collector: OtlpCollector) => Promise<void>): Promise<void> {
  const collector = await OtlpCollector.listen();
  try {
    await work(collector);
  } finally {
    await collector.close();
  }
}

/** Sends a message with these properties and gives the code it was answered with. */
async function send(world: TestWorld, properties: Readonly<Record<string, string>>, topic = 'T'): Promise<number> {
  const client = await world.connect();
  const answer = await client.send({ topic, queueId: 0, body: Buffer.from('a body'), properties });
  client.close();
  return answer.code;
}

/** Counter of all actors together. */
function counted(world: TestWorld, name: 'spansExported' | 'spansDropped'): number {
  const { shop } = world.node;
  return shop.memory.actors.reduce((sum, actor) => sum + shop.counters(actor.name).read(name), 0);
}

function only<Item>(items: readonly Item[]): Item {
  assert.is(items.length, 1);
  return items[0]!;
}

/** A broker that registers with the name server of its process, and has a topic. */
async function withTopic(world: TestWorld, topic: string): Promise<string> {
  const namesrvAddr = `127.0.0.1:${world.node.ports.namesrv}`;
  await using admin = new Admin({ namesrvAddr });
  await admin.start();
  await admin.updateBrokerConfig(world.address, { namesrvAddr });
  await admin.createTopic({ brokerAddr: world.address, topic, readQueueNums: 1, writeQueueNums: 1 });
  await until(async () => (await admin.topicRoute(topic)) !== null, 'the name server knows the topic');
  return namesrvAddr;
}

async function sendAndConsume(world: TestWorld): Promise<void> {
  const namesrvAddr = await withTopic(world, 'Orders');
  await using producer = new Producer({ namesrvAddr, producerGroup: 'tracing-producers' });
  await using consumer = new PushConsumer({
    namesrvAddr,
    consumerGroup: 'tracing-consumers',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  });
  await producer.start();
  let consumed = 0;
  consumer.subscribe('Orders');
  consumer.consumeConcurrently(async () => {
    await trace.getTracer('application').startActiveSpan('bill', async span => span.end());
    consumed++;
  });
  await trace.getTracer('application').startActiveSpan('order', async span => {
    await producer.send({ topic: 'Orders', tags: 'created', keys: ['k1', 'k2'], body: 'an order' });
    span.end();
  });
  await consumer.start();
  await until(() => consumed === 1, 'the message is consumed');
}

for (const threadingMode of ['inline', 'shared', 'dedicated']) {
  telemetry(`${threadingMode}: one trace from the client's send to the consumer's listener`, () =>
    withCollector(collector =>
      withNode(
        { namesrv: true, real: true, set: { threadingMode, lanesMax: '1', otlpEndpoint: collector.endpoint } },
        async world => {
          await withClientTracing(collector.endpoint, async flush => {
            await sendAndConsume(world);
            await flush();
          });
          await until(() => collector.named('deliver Orders').length === 1, 'the broker exports');
          const [order, sent, stored, delivered, processed, bill] = [
            ...['order', 'send Orders', 'store Orders', 'deliver Orders', 'process Orders', 'bill'],
          ].map(name => only(collector.named(name)));
          const parents: [CollectedSpan, CollectedSpan][] = [
            ...([
              [sent, order],
              [stored, sent],
              [delivered, sent],
              [processed, sent],
              [bill, processed],
            ] as [CollectedSpan, CollectedSpan][]),
          ];
          for (const [child, parent] of parents) {
            assert.equal([child.traceId, child.parentSpanId], [parent.traceId, parent.spanId], child.name);
          }
          assert.equal([sent!.kind, stored!.kind, delivered!.kind, processed!.kind], [4, 2, 2, 5]);
          const common = {
            'messaging.system': 'rocketmq',
            'messaging.destination.name': 'Orders',
            'messaging.message.id': sent!.attributes['messaging.message.id'],
            'messaging.rocketmq.message.keys': ['k1', 'k2'],
            'messaging.rocketmq.message.tag': 'created',
          };
          for (const span of [sent, stored, delivered, processed]) {
            for (const [name, value] of Object.entries(common)) assert.equal(span!.attributes[name], value, name);
            assert.ok(span!.end >= span!.start);
          }
          assert.is(delivered!.attributes['messaging.consumer.group.name'], 'tracing-consumers');
          assert.is(stored!.attributes['server.port'], world.node.ports.broker);
          assert.is(stored!.attributes['messaging.message.body.size'], 'an order'.length);
          assert.equal(stored!.resource['service.instance.id'], 'broker-a/0');
          await until(() => counted(world, 'spansExported') === 2, 'the broker has counted them');
          assert.is(counted(world, 'spansDropped'), 0);
        },
      ),
    ),
  );
}

telemetry('a context that is not well formed or not recorded makes no span, and the message is stored', () =>
  withCollector(collector =>
    withNode({ set: { otlpEndpoint: collector.endpoint } }, async world => {
      const bad = [
        `00-${TRACE_ID}-${SPAN_ID}-00`,
        `ff-${TRACE_ID}-${SPAN_ID}-01`,
        `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
        `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
        `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
        `00-${TRACE_ID}-${SPAN_ID}-1`,
        `00-${TRACE_ID}-${SPAN_ID}-01-more`,
        `00-${TRACE_ID}0-${SPAN_ID}-01`,
        `00-${TRACE_ID.slice(1)}g-${SPAN_ID}-01`,
        '\u00e9'.repeat(60),
        'x',
      ];
      for (const traceparent of bad) assert.is(await send(world, { traceparent, KEYS: 'k' }), 0, traceparent);
      assert.is(await send(world, {}), 0);
      assert.is(await send(world, { traceparent: SAMPLED, tracestate: 'a=1' }), 0);
      await world.stop();
      const span = only(collector.spans);
      assert.equal([span.traceId, span.parentSpanId, span.name], [TRACE_ID, SPAN_ID, 'store T']);
    }),
  ),
);

telemetry('a delayed message keeps the name of its topic, and says its level', () =>
  withCollector(collector =>
    withNode({ set: { otlpEndpoint: collector.endpoint } }, async world => {
      assert.is(await send(world, {}), 0);
      assert.is(await send(world, { traceparent: SAMPLED, DELAY: '3' }), 0);
      await world.stop();
      const { name, attributes } = only(collector.spans);
      assert.is(name, 'store T');
      assert.is(attributes['messaging.rocketmq.message.type'], 'delay');
      assert.is(attributes['messaging.rocketmq.message.delay_time_level'], 3);
    }),
  ),
);

telemetry('a collector that is down is said once, spans are counted, messages do not notice', async () => {
  const port = await freePort();
  await withNode({ set: { otlpEndpoint: `http://127.0.0.1:${port}` } }, async world => {
    const warnings = (): number => world.lines.filter(({ message }) => /spans cannot be exported/.test(message)).length;
    assert.is(await send(world, { traceparent: SAMPLED }), 0);
    await until(() => counted(world, 'spansDropped') === 1, 'the first span is lost');
    const collector = await OtlpCollector.listen(port);
    try {
      collector.refusal = 400;
      assert.is(await send(world, { traceparent: SAMPLED }), 0);
      await until(() => counted(world, 'spansDropped') === 2, 'the second span is refused');
      assert.is(warnings(), 1);
      collector.refusal = 0;
      assert.is(await send(world, { traceparent: SAMPLED }), 0);
      await until(() => counted(world, 'spansExported') === 1, 'the collector is there again');
      assert.ok(world.lines.some(({ message }) => message === 'spans are exported again'));
      assert.equal(world.errors, []);
    } finally {
      await collector.close();
    }
  });
});

telemetry('a slave says what it hands out, and what it stores once it is the master', () =>
  withCollector(collector =>
    withPair({ set: { otlpEndpoint: collector.endpoint } }, async pair => {
      const instanceOf = (name: string): unknown => only(collector.named(name)).resource['service.instance.id'];
      await pair.send('T', 4);
      assert.is(await send(pair.master, { traceparent: SAMPLED }), 0);
      await pair.caughtUp();
      const client = await pair.slave.connect();
      await pullQueue(client, 'T', 0, () => 1, { patienceMs: 0 });
      client.close();
      await until(() => collector.named('deliver T').length === 1, 'the slave exports');
      assert.is(instanceOf('store T'), 'broker-a/0');
      assert.is(instanceOf('deliver T'), 'broker-a/1');
      const changed = await runProgram('ringmq', ['switch', 'broker-a', '-n', pair.namesrvAddr]);
      assert.is(changed.code, 0, changed.err);
      collector.spans.length = 0;
      assert.is(await send(pair.slave, { traceparent: SAMPLED }), 0);
      await until(() => collector.named('store T').length === 1, 'the new master exports');
      assert.is(instanceOf('store T'), 'broker-a/0');
      assert.is(only(collector.spans).attributes['server.port'], pair.slave.node.ports.broker);
    }),
  ),
);

telemetry('without the key there is no such room, and nothing is asked of anybody', () =>
  withCollector(collector =>
    withNode({}, async world => {
      assert.is(await send(world, { traceparent: SAMPLED }), 0);
      assert.equal(world.node.shop.namesOf('telemetry'), []);
      await world.stop();
      assert.is(collector.requests, 0);
    }),
  ),
);

telemetry.run();
