/**
 * Spans by OpenTelemetry's own SDK, exported by OTLP over HTTP as JSON. The only file of the broker that imports the
 * SDK, and itself imported only when it is wanted: a broker without key otlpEndpoint never loads it.
 */
import {
  type Attributes,
  defaultTextMapGetter,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SpanDraft } from './behaviour.js';
import type { ExportListener, SpanSink } from './effects.js';
import type { TelemetrySettings } from './mailbox.js';

/** Spans that wait for their export; what comes beyond is lost. */
const QUEUE_MAX = 4096;
const EXPORT_MAX = 512;
/** Units: ms. */
const EXPORT_EVERY_MS = 1000;
/** With what is tried again in it. A process that stops has to wait for it. */
const EXPORT_TIMEOUT_MS = 3000;

/** A sink for the collector at the endpoint; nobody is contacted before there is a span. */
export function openOtlpSink(settings: TelemetrySettings, listener: ExportListener): SpanSink {
  const exporter = new WatchedExporter(
    new OTLPTraceExporter({
      url: `${settings.otlpEndpoint.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_TIMEOUT_MS,
    }),
    listener,
  );
  const ratio = new TraceIdRatioBasedSampler(settings.otlpSampleRatio / 100);
  const provider = new TracerProvider({
    resource: resourceOf(settings),
    // The client decides; the broker begins no traces of its own.
    sampler: new ParentBasedSampler({ root: new AlwaysOffSampler(), remoteParentSampled: ratio }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: QUEUE_MAX,
        maxExportBatchSize: EXPORT_MAX,
        scheduledDelayMillis: EXPORT_EVERY_MS,
      }),
    ],
  });
  return new OtlpSink(provider, exporter);
}

/** Names of the environment (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) come before ours. */
function resourceOf({ brokerClusterName, brokerName, brokerId }: TelemetrySettings) {
  const own = resourceFromAttributes({
    'service.name': 'ringmq',
    'service.namespace': brokerClusterName,
    'service.instance.id': `${brokerName}/${brokerId}`,
  });
  return own.merge(detectResources({ detectors: [envDetector] }));
}

class OtlpSink implements SpanSink {
  readonly #provider: TracerProvider;
  readonly #exporter: WatchedExporter;
  readonly #tracer;
  readonly #propagator = new W3CTraceContextPropagator();

  constructor(provider: TracerProvider, exporter: WatchedExporter) {
    this.#provider = provider;
    this.#exporter = exporter;
    this.#tracer = provider.getTracer('ringmq');
  }

  record(draft: SpanDraft): boolean {
    if (this.#exporter.waiting >= QUEUE_MAX) return false;
    const parent = this.#propagator.extract(ROOT_CONTEXT, draft.carrier, defaultTextMapGetter);
    const attributes: Attributes = { ...draft.attributes };
    const options = { kind: SpanKind.SERVER, startTime: hrTime(draft.startUs), attributes };
    const span = this.#tracer.startSpan(draft.name, options, parent);
    if (!span.isRecording()) return true;
    if (draft.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: draft.error });
    this.#exporter.waiting++;
    span.end(hrTime(draft.endUs));
    return true;
  }

  async close(patienceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>(resolve => {
      timer = setTimeout(resolve, patienceMs);
    });
    // What cannot be exported is told to the listener.
    await Promise.race([this.#provider.shutdown().catch(() => undefined), limit]);
    clearTimeout(timer);
  }
}

/** Passes batches on, and tells what came of them. */
class WatchedExporter implements SpanExporter {
  /** Spans that are not handed over yet. */
  waiting = 0;
  readonly #exporter: SpanExporter;
  readonly #listener: ExportListener;

  constructor(exporter: SpanExporter, listener: ExportListener) {
    this.#exporter = exporter;
    this.#listener = listener;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.waiting -= spans.length;
    this.#exporter.export(spans, result => {
      if (result.code === ExportResultCode.SUCCESS) this.#listener.onExported(spans.length);
      else this.#listener.onFailed(spans.length, result.error ?? new Error('the collector refused them'));
      done(result);
    });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / 1_000_000);
  return [seconds, Math.round((us - seconds * 1_000_000) * 1000)];
}
