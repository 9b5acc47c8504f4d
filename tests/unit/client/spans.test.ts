/** Spans of the client; joined with those of a broker they are in tests/unit/actors/node/telemetry.test.ts. */
import { trace } from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQBrokerError } from '../../../client/errors.js';
import type { Message } from '../../../client/message.js';
import { MessageExt } from '../../../client/message-ext.js';
import type { SendResult } from '../../../client/send-result.js';
import { consumeInSpan, isTracing, sendInSpan } from '../../../client/spans.js';
import { withClientTracing } from '../../support/client-tracing.js';
import { type CollectedSpan, OtlpCollector } from '../../support/otlp-collector.js';

const spans = suite('client/spans');

const OTHER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const queue = { topic: 'T', brokerName: 'broker-a', queueId: 2 };
const consumption = { consumerGroup: 'G', queue };

const result: SendResult = {
  sendStatus: 'SEND_OK',
  msgId: 'ID',
  offsetMsgId: '0A00000200002A9F0000000000000400',
  messageQueue: queue,
  queueOffset: 1,
  regionId: 'R',
  traceOn: true,
};

function received(properties: Readonly<Record<string, string>>): MessageExt {
  const fields = {
    ...{ topic: 'T', queueId: 2, queueOffset: 0, commitLogOffset: 0, storeSize: 1, flag: 0, sysFlag: 0, bodyCRC: 0 },
    ...{ bornTimestamp: 0, bornHost: '', storeTimestamp: 0, storeHost: '', reconsumeTimes: 0 },
    ...{ preparedTransactionOffset: 0, offsetMsgId: 'OFFSET' },
    properties,
  };
  return new MessageExt(fields, new Uint8Array(1));
}

/** The spans that `work` makes, with an SDK registered. */
async function spansOf(
  work: () => Promise<unknown>,
  sampler?: Parameters<typeof withClientTracing>[2],
): Promise<readonly CollectedSpan[]> {
  const collector = await OtlpCollector.listen();
  try {
    await withClientTracing(
      collector.endpoint,
      async flush => {
        await work();
        await flush();
      },
      sampler,
    );
    return collector.spans;
  } finally {
    await collector.close();
  }
}

spans('there are none until the application registers an SDK, and none when it is gone', async () => {
  assert.not.ok(isTracing());
  await spansOf(async () => assert.ok(isTracing()));
  assert.not.ok(isTracing());
});

spans('a send puts its context into the message, which the listener then runs in', async () => {
  let carried: Readonly<Record<string, string>> = {};
  const made = await spansOf(async () => {
    await sendInSpan([{ topic: 'T', body: 'b', properties: { own: 'kept' } }], 'client', async ([message]) => {
      carried = message!.properties!;
      return result;
    });
    await consumeInSpan(
      [received(carried)],
      consumption,
      async () => trace.getTracer('application').startSpan('inner').end(),
      () => true,
    );
  });
  assert.is(carried.own, 'kept');
  const [send, inner, process] = ['send T', 'inner', 'process T'].map(name => made.find(span => span.name === name)!);
  assert.is(carried.traceparent, `00-${send!.traceId}-${send!.spanId}-01`);
  assert.equal([process!.traceId, process!.parentSpanId], [send!.traceId, send!.spanId]);
  assert.is(inner!.parentSpanId, process!.spanId);
  assert.equal(
    [send!.attributes['server.address'], send!.attributes['server.port'], send!.attributes['messaging.message.id']],
    ['10.0.0.2', 10_911, 'ID'],
  );
});

spans('a batch shares the context of its send; a listener of several gets links', async () => {
  let sent: readonly Message[] = [];
  const two = [
    { topic: 'T', body: '1' },
    { topic: 'T', body: '2' },
  ];
  const made = await spansOf(async () => {
    await sendInSpan(two, 'client', async messages => {
      sent = messages;
      return { ...result, offsetMsgId: `${result.offsetMsgId},${result.offsetMsgId}` };
    });
    const messages = [...sent.map(({ properties }) => received(properties!)), received({})];
    // As a consumer that was started in a span of the application.
    await trace.getTracer('application').startActiveSpan('start', () =>
      consumeInSpan(
        messages,
        consumption,
        async () => {},
        () => true,
      ),
    );
  });
  const [send, process] = [made.find(({ kind }) => kind === 4)!, made.find(({ kind }) => kind === 5)!];
  assert.is(send.attributes['messaging.batch.message_count'], 2);
  assert.is(process.attributes['messaging.batch.message_count'], 3);
  assert.is(process.parentSpanId, '');
  assert.equal(process.links, [
    { traceId: send.traceId, spanId: send.spanId },
    { traceId: send.traceId, spanId: send.spanId },
  ]);
});

spans('a message that brings its own context keeps it, and the send links to it', async () => {
  let carried = '';
  const [send] = await spansOf(() =>
    sendInSpan([{ topic: 'T', body: 'b', properties: { traceparent: OTHER } }], 'client', async ([message]) => {
      carried = message!.properties!.traceparent!;
      return result;
    }),
  );
  assert.is(carried, OTHER);
  assert.equal(send!.links, [{ traceId: OTHER.slice(3, 35), spanId: OTHER.slice(36, 52) }]);
});

spans('what an application does not record is not recorded further on', async () => {
  let carried = '';
  const made = await spansOf(
    () =>
      sendInSpan([{ topic: 'T', body: 'b' }], 'client', async ([message]) => {
        carried = message!.properties!.traceparent!;
        return result;
      }),
    new AlwaysOffSampler(),
  );
  assert.equal(made, []);
  assert.match(carried, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

spans('failures are on their spans, and are the caller’s all the same', async () => {
  const refusal = new MQBrokerError({ code: 2, remark: 'busy' }, '10.0.0.2:10911');
  const made = await spansOf(async () => {
    const send = sendInSpan([{ topic: 'T', body: 'b' }], 'client', () => Promise.reject(refusal));
    assert.is(await send.catch(error => error), refusal);
    const thrown = consumeInSpan(
      [received({})],
      consumption,
      () => Promise.reject(new TypeError('no')),
      () => true,
    );
    assert.instance(await thrown.catch(error => error), TypeError);
    const later = consumeInSpan(
      [received({})],
      consumption,
      async () => 'RECONSUME_LATER',
      status => status !== 'RECONSUME_LATER',
    );
    assert.is(await later, 'RECONSUME_LATER');
  });
  assert.equal(
    made.map(({ attributes, status }) => [attributes['error.type'], status.code]),
    [
      ['REFUSED', 2],
      ['TypeError', 2],
      ['RECONSUME_LATER', 2],
    ],
  );
});

spans('an answer without a place makes no failure', async () => {
  const [send] = await spansOf(() =>
    sendInSpan([{ topic: 'T', body: 'b' }], 'client', async () => ({ ...result, offsetMsgId: '' })),
  );
  assert.is(send!.attributes['server.address'], undefined);
});

spans.run();
