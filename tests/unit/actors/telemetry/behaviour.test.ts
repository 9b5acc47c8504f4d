import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Happening, spanOf } from '../../../../actors/telemetry/behaviour.js';
import type { TracedRecord } from '../../../../actors/telemetry/traced-record.js';

const behaviour = suite('actors/telemetry/behaviour');

const stored: Happening = { operation: 'store', code: 0, startUs: 10, endUs: 20 };

function record(properties: Readonly<Record<string, string>>, more: Partial<TracedRecord> = {}): TracedRecord {
  return {
    ...{
      topic: 'Orders',
      queueId: 3,
      queueOffset: 41,
      physicalOffset: 4096,
      totalSize: 300,
      bodySize: 120,
      sysFlag: 0,
    },
    ...{ bornAddress: 0x0a000001, bornPort: 40_000, storeAddress: 0x0a000002, storePort: 10_911 },
    properties: new Map(Object.entries({ traceparent: 'tp', ...properties })),
    ...more,
  };
}

behaviour('a span says what the conventions of OpenTelemetry want of a RocketMQ message', () => {
  const span = spanOf(record({ tracestate: 'ts', UNIQ_KEY: 'ID', KEYS: 'a b', TAGS: 't' }), stored)!;
  assert.equal([span.name, span.startUs, span.endUs], ['store Orders', 10, 20]);
  assert.equal(span.carrier, { traceparent: 'tp', tracestate: 'ts' });
  assert.is(span.error, undefined);
  assert.equal(span.attributes, {
    'messaging.system': 'rocketmq',
    'messaging.operation.name': 'store',
    'messaging.destination.name': 'Orders',
    'messaging.destination.partition.id': '3',
    'messaging.message.id': 'ID',
    'messaging.message.body.size': 120,
    'messaging.rocketmq.message.type': 'normal',
    'server.address': '10.0.0.2',
    'server.port': 10_911,
    'ringmq.queue.offset': 41,
    'ringmq.physical.offset': 4096,
    'messaging.rocketmq.message.keys': ['a', 'b'],
    'messaging.rocketmq.message.tag': 't',
    'client.address': '10.0.0.1',
    'client.port': 40_000,
  });
});

behaviour('a delivery names its group', () => {
  const span = spanOf(record({}), { operation: 'deliver', group: 'G', startUs: 0, endUs: 1 })!;
  assert.is(span.name, 'deliver Orders');
  assert.is(span.attributes['messaging.consumer.group.name'], 'G');
});

behaviour('delayed and half messages keep the topic they were sent to', () => {
  const delayed = { REAL_TOPIC: 'Later', REAL_QID: '2', DELAY: '5' };
  const span = spanOf(record(delayed, { topic: 'SCHEDULE_TOPIC_XXXX', queueId: 4 }), stored)!;
  assert.is(span.name, 'store Later');
  assert.is(span.attributes['messaging.destination.partition.id'], '2');
  assert.is(span.attributes['messaging.rocketmq.message.type'], 'delay');
  assert.is(span.attributes['messaging.rocketmq.message.delay_time_level'], 5);
  const half = spanOf(record({ REAL_TOPIC: 'Deal', TRAN_MSG: 'true' }, { sysFlag: 4 }), stored)!;
  assert.is(half.attributes['messaging.rocketmq.message.type'], 'transaction');
});

behaviour('an answer other than success is an error; without a context there is no span', () => {
  const span = spanOf(record({}), { ...stored, code: 10 })!;
  assert.is(span.error, 'answered FLUSH_DISK_TIMEOUT');
  assert.is(span.attributes['error.type'], 'FLUSH_DISK_TIMEOUT');
  assert.is(spanOf(record({}, { properties: new Map() }), stored), undefined);
});

behaviour.run();
