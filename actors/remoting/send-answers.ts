/**
 * Answers to sends whose messages are in the log: at once, or when the position their policy names has passed them.
 * Hot.
 */
import { ResponseCode, responseCodeName, type SerializeType } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import type { SendResponseEncoder } from '../../protocol/send-response.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { SharedFlags } from '../../runtime/memory/flags.js';
import type { Latencies } from '../../runtime/memory/latencies.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import { elapsedMs } from '../inbound.js';
import type { SpanNotes } from '../span-notes.js';
import { StoreState } from '../store-state.js';
import { AckGate } from './ack-gate.js';
import type { Connection } from './connection.js';
import type { ConnectionTable } from './connection-table.js';
import { AppendFlag, AppendResult, join64 } from './mailbox.js';

export interface SendAnswersOptions {
  readonly positions: Positions;
  readonly counters: Counters;
  readonly encoder: SendResponseEncoder;
  readonly recorder: FlightRecorder;
  /** Sends in progress. Units: requests; a power of two. */
  readonly maxInflight: number;
  readonly syncFlushTimeoutMs: number;
  readonly slaveTimeoutMs: number;
  /** A slave that is further behind is not waited for. Units: bytes. */
  readonly haSlaveFallbehindMax: number;
  readonly storeState: SharedFlags;
  /** From a request's arrival to its answer. */
  readonly putLatencies: Latencies;
  /** Where there is a telemetry room. */
  readonly notes?: SpanNotes | undefined;
}

/** A clock may be read a little early; what seems to arrive later than this was stamped before the clock was set. */
const FUTURE_MAX_MS = 1000;

/**
 * How long a result has waited. When the clock was set back meanwhile nobody knows: its patience is over then, for
 * neither it nor those behind it can wait until the old time comes again.
 */
function waitedMs(arrivedMs: number, nowMs: number): number {
  const waited = elapsedMs(arrivedMs, nowMs);
  return waited < -FUTURE_MAX_MS ? Number.POSITIVE_INFINITY : waited;
}

export class SendAnswers {
  /** Sends accepted and not answered yet: remoting adds, and takes off what a lane refused. */
  inflight = 0;
  /** The time of this turn: remoting sets it. */
  nowMs = 0;
  readonly #options: SendAnswersOptions;
  readonly #connections: ConnectionTable;
  readonly #markDirty: (connection: Connection) => void;
  /** What waits for the disk alone, and what waits for a slave and maybe the disk: one must not hold up the other. */
  readonly #flushGate: AckGate;
  readonly #replicaGate: AckGate;

  /** `markDirty`: a connection has answers to write when the turn ends. */
  constructor(options: SendAnswersOptions, connections: ConnectionTable, markDirty: (connection: Connection) => void) {
    this.#options = options;
    this.#connections = connections;
    this.#markDirty = markDirty;
    this.#flushGate = new AckGate(options.maxInflight);
    this.#replicaGate = new AckGate(options.maxInflight);
  }

  /** Sends in the log whose answers wait for the disk. */
  get awaitingFlush(): number {
    return this.#flushGate.size;
  }

  /** Sends in the log whose answers wait for a slave. */
  get awaitingSlave(): number {
    return this.#replicaGate.size;
  }

  /** When the oldest answer of a gate has waited too long; Infinity when none waits. Units: ms. */
  deadlineMs(nowMs: number): number {
    const { syncFlushTimeoutMs } = this.#options;
    let deadlineMs = Number.POSITIVE_INFINITY;
    const flush = this.#flushGate.oldest();
    if (flush >= 0) deadlineMs = nowMs + syncFlushTimeoutMs - waitedMs(this.#flushGate.arrivedMs[flush]!, nowMs);
    const replica = this.#replicaGate.oldest();
    if (replica < 0) return deadlineMs;
    const patienceMs = this.#replicaPatienceMs(replica);
    return Math.min(deadlineMs, nowMs + patienceMs - waitedMs(this.#replicaGate.arrivedMs[replica]!, nowMs));
  }

  /** A send of a connection went its way: it is in the log, or refused. */
  settle(connectionId: number): void {
    const connection = this.#connections.get(connectionId);
    if (connection !== undefined) connection.sendsUnsettled--;
  }

  /** Takes the result of an append whose record stands at `word` of `inlet`. */
  onAppendResult(inlet: Ring, word: number): void {
    const { words } = inlet;
    this.settle(words[word + AppendResult.connectionId]!);
    const flags = words[word + AppendResult.flags]!;
    const count = words[word + AppendResult.count]!;
    const queueOffset = join64(words[word + AppendResult.queueOffsetLow]!, words[word + AppendResult.queueOffsetHigh]!);
    const physicalOffset = join64(
      words[word + AppendResult.physicalOffsetLow]!,
      words[word + AppendResult.physicalOffsetHigh]!,
    );
    const end = physicalOffset + words[word + AppendResult.size]!;
    const sizesAt = word + AppendResult.sizes;
    const sizes = count > 1 ? words.slice(sizesAt, sizesAt + count) : undefined;
    let code = words[word + AppendResult.code]!;
    let gate = (flags & AppendFlag.WAIT_FLUSH) === 0 ? undefined : this.#flushGate;
    if ((flags & AppendFlag.WAIT_REPLICA) !== 0) {
      if (this.#isSlaveReady(end)) gate = this.#replicaGate;
      else code = ResponseCode.SLAVE_NOT_AVAILABLE;
    }
    if (gate === undefined) {
      const connectionId = words[word + AppendResult.connectionId]!;
      const opaque = words[word + AppendResult.opaque]!;
      const queueId = words[word + AppendResult.queueId]!;
      const traceId = words[word + AppendResult.traceId]!;
      this.#account(flags, code, words[word + AppendResult.arrivedMs]!, physicalOffset, end);
      this.#answer(connectionId, flags, code, opaque, queueId, queueOffset, physicalOffset, sizes, traceId);
      return;
    }
    const slot = gate.add();
    gate.connectionId[slot] = words[word + AppendResult.connectionId]!;
    gate.opaque[slot] = words[word + AppendResult.opaque]!;
    gate.flags[slot] = flags;
    gate.code[slot] = code;
    gate.queueId[slot] = words[word + AppendResult.queueId]!;
    gate.arrivedMs[slot] = words[word + AppendResult.arrivedMs]!;
    gate.traceId[slot] = words[word + AppendResult.traceId]!;
    gate.queueOffset[slot] = queueOffset;
    gate.physicalOffset[slot] = physicalOffset;
    gate.end[slot] = end;
    gate.sizes[slot] = sizes;
  }

  /** Waiting for a slave is worth while. Source: spec ha 3.1; HAService.isSlaveOK. */
  #isSlaveReady(end: number): boolean {
    const { storeState, positions, haSlaveFallbehindMax } = this.#options;
    return storeState.has(StoreState.HAS_SLAVE) && end - positions.read('replicated') < haSlaveFallbehindMax;
  }

  /** Answers what its policy allows by now, and with a timeout's code what waited too long: it is stored. */
  release(nowMs: number): number {
    return this.#releaseFlushed(nowMs) + this.#releaseReplicated(nowMs);
  }

  #releaseFlushed(nowMs: number): number {
    const gate = this.#flushGate;
    if (gate.size === 0) return 0;
    const flushed = this.#options.positions.read('flushed');
    let work = 0;
    for (let slot = gate.ready(flushed); slot >= 0; slot = gate.ready(flushed), work++) {
      this.#answerSlot(gate, slot, gate.code[slot]!);
    }
    const limitMs = this.#options.syncFlushTimeoutMs;
    for (let slot = gate.oldest(); slot >= 0; slot = gate.oldest(), work++) {
      if (waitedMs(gate.arrivedMs[slot]!, nowMs) < limitMs) break;
      // Without a slave the answer says that, flushed or not.
      const code = gate.code[slot]!;
      this.#answerSlot(gate, slot, code === ResponseCode.SUCCESS ? ResponseCode.FLUSH_DISK_TIMEOUT : code);
    }
    return work;
  }

  /** Flush and replication run side by side; where both are late, the slave is what the producer hears of. */
  #releaseReplicated(nowMs: number): number {
    const gate = this.#replicaGate;
    if (gate.size === 0) return 0;
    let work = 0;
    for (let slot = gate.oldest(); slot >= 0; slot = gate.oldest(), work++) {
      const patienceMs = this.#replicaPatienceMs(slot);
      if (patienceMs > 0 && waitedMs(gate.arrivedMs[slot]!, nowMs) < patienceMs) break;
      this.#answerSlot(gate, slot, this.#replicaCode(slot));
    }
    return work;
  }

  /** How long after its arrival the result is answered whatever is missing; 0 when nothing is. Units: ms. */
  #replicaPatienceMs(slot: number): number {
    const { syncFlushTimeoutMs, slaveTimeoutMs } = this.#options;
    const flushMs = this.#isFlushed(slot) ? 0 : syncFlushTimeoutMs;
    return this.#isReplicated(slot) ? flushMs : Math.max(flushMs, slaveTimeoutMs);
  }

  #replicaCode(slot: number): number {
    if (!this.#isReplicated(slot)) return ResponseCode.FLUSH_SLAVE_TIMEOUT;
    return this.#isFlushed(slot) ? this.#replicaGate.code[slot]! : ResponseCode.FLUSH_DISK_TIMEOUT;
  }

  #isReplicated(slot: number): boolean {
    return this.#replicaGate.end[slot]! <= this.#options.positions.read('replicated');
  }

  #isFlushed(slot: number): boolean {
    const gate = this.#replicaGate;
    if ((gate.flags[slot]! & AppendFlag.WAIT_FLUSH) === 0) return true;
    return gate.end[slot]! <= this.#options.positions.read('flushed');
  }

  /** For statistics, and for the trace that a message belongs to. */
  #account(flags: number, code: number, arrivedMs: number, physicalOffset: number, end: number): void {
    const { putLatencies, notes } = this.#options;
    putLatencies.add(elapsedMs(arrivedMs, this.nowMs));
    if ((flags & AppendFlag.JOINS_TRACE) !== 0) notes?.stored(physicalOffset, end - physicalOffset, arrivedMs, code);
  }

  #answerSlot(gate: AckGate, slot: number, code: number): void {
    this.#account(gate.flags[slot]!, code, gate.arrivedMs[slot]!, gate.physicalOffset[slot]!, gate.end[slot]!);
    this.#answer(
      gate.connectionId[slot]!,
      gate.flags[slot]!,
      code,
      gate.opaque[slot]!,
      gate.queueId[slot]!,
      gate.queueOffset[slot]!,
      gate.physicalOffset[slot]!,
      gate.sizes[slot],
      gate.traceId[slot]!,
    );
    gate.shift();
  }

  #answer(
    connectionId: number,
    flags: number,
    code: number,
    opaque: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    sizes: Int32Array | undefined,
    traceId: number,
  ): void {
    this.inflight--;
    if ((flags & AppendFlag.ONEWAY) !== 0) return;
    if (traceId !== 0) this.#options.recorder.note(TraceEvent.answered, traceId, code, connectionId);
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    const { counters, encoder } = this.#options;
    if ((flags & AppendFlag.PLAIN) !== 0) return this.#answerPlainly(connection, flags, code, opaque);
    const start = connection.reserve(encoder.sizeMax(sizes?.length ?? 1));
    const type = flags & AppendFlag.BINARY;
    const out = connection.outBytes;
    const end = encoder.encode(out, start, type, code, opaque, queueId, queueOffset, physicalOffset, sizes);
    connection.reserved(end);
    counters.add(Counter.responsesOut);
    counters.add(Counter.bytesOut, end - start);
    this.#markDirty(connection);
  }

  /** The answer to a request that asked for no place: it worked, or its message is stored and maybe not safe yet. */
  #answerPlainly(connection: Connection, flags: number, code: number, opaque: number): void {
    const request = { opaque, serializeType: (flags & AppendFlag.BINARY) as SerializeType };
    // Without a slave a SYNC_MASTER stores all the same; an error would make the client send the message again.
    const isDone = code === ResponseCode.SUCCESS || code === ResponseCode.SLAVE_NOT_AVAILABLE;
    const response = isDone
      ? createResponse(request, ResponseCode.SUCCESS)
      : createResponse(request, ResponseCode.SYSTEM_ERROR, responseCodeName(code));
    const frame = encodeCommand(response);
    connection.send(frame, 0, frame.length);
    this.#options.counters.add(Counter.responsesOut);
    this.#options.counters.add(Counter.bytesOut, frame.length);
    this.#markDirty(connection);
  }
}
