/** An application that has registered OpenTelemetry's SDK, which exports to a collector of the test. */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { type Sampler, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** Runs `work` with the SDK registered; everything is exported when it resolves. */
export async function withClientTracing(
  endpoint: string,
  work: (flush: () => Promise<void>) => Promise<void>,
  sampler?: Sampler,
): Promise<void> {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'application' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }) })],
    ...(sampler === undefined ? {} : { sampler }),
  });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  try {
    await work(() => provider.forceFlush());
  } finally {
    for (const api of [trace, propagation, context]) api.disable();
    await provider.shutdown();
  }
}
