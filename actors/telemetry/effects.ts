/** Where spans go: what the telemetry room knows of the SDK, which is loaded when it is made. */
import type { SpanDraft } from './behaviour.js';

export interface SpanSink {
  /** Takes a span; false when it has no room. A context that is not well formed, or not recorded, is left out. */
  record(draft: SpanDraft): boolean;
  /** Sends what it has and takes no more; waits so long for that. What is left goes on by itself, while it can. */
  close(patienceMs: number): Promise<void>;
}

/** What came of exports. */
export interface ExportListener {
  onExported(spans: number): void;
  /** They are lost. */
  onFailed(spans: number, error: unknown): void;
}
