/** The requests of the batch that is being gathered, until its write is done. Hot: typed arrays, no allocation. */
import { AppendRequest } from './mailbox.js';

export class StagedAppends {
  count = 0;
  readonly connectionId: Int32Array;
  readonly opaque: Int32Array;
  readonly flags: Int32Array;
  readonly queueNumber: Int32Array;
  readonly queueId: Int32Array;
  readonly recordCount: Int32Array;
  /** Units: bytes. */
  readonly size: Int32Array;
  readonly arrivedMs: Int32Array;
  readonly queueOffset: Float64Array;
  readonly physicalOffset: Float64Array;
  /** Queue of the companion, -1 when there is none, and the offset it got. */
  readonly companionQueue: Int32Array;
  readonly companionOffset: Float64Array;
  readonly attempt: Int32Array;
  readonly traceId: Int32Array;
  /** Which of the writer's outlets hears the result. */
  readonly outlet: Uint8Array;

  constructor(capacity: number) {
    this.connectionId = new Int32Array(capacity);
    this.opaque = new Int32Array(capacity);
    this.flags = new Int32Array(capacity);
    this.queueNumber = new Int32Array(capacity);
    this.queueId = new Int32Array(capacity);
    this.recordCount = new Int32Array(capacity);
    this.size = new Int32Array(capacity);
    this.arrivedMs = new Int32Array(capacity);
    this.queueOffset = new Float64Array(capacity);
    this.physicalOffset = new Float64Array(capacity);
    this.companionQueue = new Int32Array(capacity);
    this.companionOffset = new Float64Array(capacity);
    this.attempt = new Int32Array(capacity);
    this.traceId = new Int32Array(capacity);
    this.outlet = new Uint8Array(capacity);
  }

  /** Notes the append request whose words start at `word`. */
  add(
    words: Int32Array,
    word: number,
    outlet: number,
    queueOffset: number,
    companionOffset: number,
    physicalOffset: number,
  ): void {
    const index = this.count++;
    this.connectionId[index] = words[word + AppendRequest.connectionId]!;
    this.opaque[index] = words[word + AppendRequest.opaque]!;
    this.flags[index] = words[word + AppendRequest.flags]!;
    this.queueNumber[index] = words[word + AppendRequest.queueNumber]!;
    this.queueId[index] = words[word + AppendRequest.queueId]!;
    this.recordCount[index] = words[word + AppendRequest.count]!;
    this.size[index] = words[word + AppendRequest.size]!;
    this.arrivedMs[index] = words[word + AppendRequest.arrivedMs]!;
    this.queueOffset[index] = queueOffset;
    this.physicalOffset[index] = physicalOffset;
    this.companionQueue[index] = words[word + AppendRequest.companionQueue]!;
    this.companionOffset[index] = companionOffset;
    this.attempt[index] = words[word + AppendRequest.attempt]!;
    this.traceId[index] = words[word + AppendRequest.traceId]!;
    this.outlet[index] = outlet;
  }

  clear(): void {
    this.count = 0;
  }
}
