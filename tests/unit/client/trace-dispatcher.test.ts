import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientInstance } from '../../../client/client-instance.js';
import { TraceDispatcher } from '../../../client/trace-dispatcher.js';
import { RequestCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { parseProperties } from '../../../protocol/message-record.js';
import { FakeMessageBroker } from '../../support/fake-message-broker.js';
import { until } from '../../support/until.js';

const dispatcher = suite('client/trace-dispatcher');

const { SEND_MESSAGE_V2 } = RequestCode;

async function withRig(work: (fake: FakeMessageBroker, trace: TraceDispatcher, reports: string[]) => Promise<void>) {
  const fake = await FakeMessageBroker.listen({ Trace: 1 });
  const instance = new ClientInstance({ namesrvAddr: fake.address });
  const reports: string[] = [];
  instance.start();
  try {
    await work(fake, new TraceDispatcher(instance, 'PG', 'PRODUCE', 'Trace', (_, what) => reports.push(what)), reports);
  } finally {
    await instance.shutdown();
    await fake.close();
  }
}

dispatcher('sends many records as one message, found by all their keys', () =>
  withRig(async (fake, trace) => {
    trace.append({ data: 'one\u0002', keys: ['U1', 'k'] });
    trace.append({ data: 'two\u0002', keys: ['U2', 'k'] });
    await until(() => fake.broker.received(SEND_MESSAGE_V2).length === 1, 'the message, after its wait');
    const [request] = fake.broker.received(SEND_MESSAGE_V2);
    assert.is(Buffer.from(request!.body!).toString(), 'one\u0002two\u0002');
    assert.is(parseProperties(request!.extFields.i!).get('KEYS'), 'U1 k U2');
    assert.match(request!.extFields.a!, /^_INNER_TRACE_PRODUCER-PG-PRODUCE-\d+$/);
    assert.not.ok(trace.isAbout('Trace'));
    assert.ok(trace.isAbout('T'));
  }),
);

dispatcher('sends at once what fills a message, and the rest when it is flushed', () =>
  withRig(async (fake, trace) => {
    for (let n = 0; n < 3; n++) trace.append({ data: 'x'.repeat(60_000), keys: [`U${n}`] });
    await trace.flush();
    const keys = fake.broker
      .received(SEND_MESSAGE_V2)
      .map(({ extFields }) => parseProperties(extFields.i!).get('KEYS'));
    assert.equal(keys, ['U0 U1', 'U2']);
    const many = Array.from({ length: 1000 }, (_, n) => `${n}`.padStart(32, 'U'));
    for (const key of many) trace.append({ data: 'x', keys: [key] });
    await trace.flush();
    const sizes = fake.broker.received(SEND_MESSAGE_V2).map(({ extFields }) => extFields.i!.length);
    assert.ok(
      sizes.every(size => size < 20_000),
      'no message has more properties than fit',
    );
    assert.is(fake.broker.received(SEND_MESSAGE_V2).length, 5);
  }),
);

dispatcher('reports what it cannot send, and holds up nobody', () =>
  withRig(async (fake, trace, reports) => {
    fake.broker.on(SEND_MESSAGE_V2, request => createResponse(request, 13, 'no'));
    trace.append({ data: 'x', keys: ['U1'] });
    await trace.flush();
    assert.equal(reports, ['sending the message trace']);
  }),
);

dispatcher.run();
