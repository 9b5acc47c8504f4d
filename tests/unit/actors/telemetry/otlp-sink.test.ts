import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpanDraft } from '../../../../actors/telemetry/behaviour.js';
import type { SpanSink } from '../../../../actors/telemetry/effects.js';
import { openOtlpSink } from '../../../../actors/telemetry/otlp-sink.js';
import { Prng } from '../../../../runtime/base/prng.js';
import { OtlpCollector } from '../../../support/otlp-collector.js';

const sink = suite('actors/telemetry/otlp-sink');

const broker = { brokerClusterName: 'C', brokerName: 'broker-a', brokerId: 0 };
const random = new Prng(11);
const hex = (digits: number): string => Buffer.from(random.bytes(digits / 2)).toString('hex');

function draft(traceId = hex(32), more: Partial<SpanDraft> = {}): SpanDraft {
  const carrier = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  return {
    name: 'store T',
    startUs: 1_700_000_000_123_456,
    endUs: 1_700_000_000_123_999,
    carrier,
    attributes: {},
    ...more,
  };
}

/** What a collector has after `work` and a close; how many spans were told of as exported or lost. */
async function collected(
  work: (open: (otlpSampleRatio: number) => SpanSink, collector: OtlpCollector) => Promise<void>,
): Promise<{ collector: OtlpCollector; exported: number; failed: number }> {
  const collector = await OtlpCollector.listen();
  const told = { exported: 0, failed: 0 };
  const listener = {
    onExported: (spans: number) => {
      told.exported += spans;
    },
    onFailed: (spans: number) => {
      told.failed += spans;
    },
  };
  try {
    const open = (otlpSampleRatio: number): SpanSink =>
      openOtlpSink({ ...broker, otlpEndpoint: `${collector.endpoint}/`, otlpSampleRatio }, listener);
    await work(open, collector);
    return { collector, ...told };
  } finally {
    await collector.close();
  }
}

sink('a span has the times of its draft, and says what went wrong', async () => {
  const { collector } = await collected(async open => {
    const opened = open(100);
    opened.record(draft('0af7651916cd43dd8448eb211c80319c', { error: 'answered FLUSH_DISK_TIMEOUT' }));
    await opened.close(20_000);
  });
  const [span] = collector.spans;
  assert.equal([span!.start, span!.end], [1_700_000_000_123_456_000n, 1_700_000_000_123_999_000n]);
  assert.equal(span!.status, { code: 2, message: 'answered FLUSH_DISK_TIMEOUT' });
  assert.equal(
    [span!.resource['service.name'], span!.resource['service.namespace'], span!.resource['service.instance.id']],
    ['ringmq', 'C', 'broker-a/0'],
  );
});

sink('what the environment of OpenTelemetry says of the service counts', async () => {
  process.env.OTEL_SERVICE_NAME = 'orders-broker';
  try {
    const { collector } = await collected(async open => {
      const opened = open(100);
      opened.record(draft());
      await opened.close(20_000);
    });
    const { resource } = collector.spans[0]!;
    assert.equal([resource['service.name'], resource['service.instance.id']], ['orders-broker', 'broker-a/0']);
  } finally {
    delete process.env.OTEL_SERVICE_NAME;
  }
});

sink('spans beyond what may wait are not taken; those taken arrive', async () => {
  let taken = 0;
  const { collector, exported, failed } = await collected(async open => {
    const opened = open(100);
    for (let count = 0; count < 6000; count++) if (opened.record(draft())) taken++;
    await opened.close(20_000);
  });
  // A batch of 512 is on its way at once.
  assert.is(taken, 4096 + 512);
  assert.equal([exported, failed, collector.spans.length], [taken, 0, taken]);
});

sink('of the traces that clients record a share is joined, the same one by every broker', async () => {
  const traceIds = Array.from({ length: 400 }, () => hex(32));
  const joined = async (): Promise<string[]> => {
    const { collector } = await collected(async open => {
      const opened = open(25);
      for (const traceId of traceIds) assert.ok(opened.record(draft(traceId)));
      await opened.close(20_000);
    });
    return collector.spans.map(({ traceId }) => traceId).sort();
  };
  const first = await joined();
  assert.ok(first.length > 50 && first.length < 150, `${first.length} of 400`);
  assert.equal(await joined(), first);
});

sink('a collector that refuses is told of, with the number of spans', async () => {
  const { failed, exported } = await collected(async (open, collector) => {
    collector.refusal = 400;
    const opened = open(100);
    for (let count = 0; count < 3; count++) opened.record(draft());
    await opened.close(20_000);
  });
  assert.equal([exported, failed], [0, 3]);
});

sink.run();
