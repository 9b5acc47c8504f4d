/**
 * One actor in a test: rings to put records in and to read what came out, requests as clients frame them, settings as a
 * node has them by default. Everything is on one thread; nothing here sleeps.
 */
import { AppendRequest, AppendType } from '../../actors/commit-log-writer/mailbox.js';
import { InboundFrame, InboundType } from '../../actors/inbound.js';
import type { BrokerSettings } from '../../actors/node/build-settings.js';
import type { PullLaneSettings } from '../../actors/pull-lane/mailbox.js';
import { AppendResult, join64, OutboundFrame, OutboundType } from '../../actors/remoting/mailbox.js';
import type { SendContext } from '../../actors/send-lane/behaviour.js';
import type { LaneSettings } from '../../actors/send-lane/mailbox.js';
import type { TopicEntry } from '../../actors/topic-snapshot.js';
import type { TransactionCheckerSettings } from '../../actors/transaction-checker/mailbox.js';
import type { SerializeType } from '../../protocol/codes.js';
import {
  createRequest,
  decodeCommand,
  type ExtFields,
  encodeCommand,
  type RemotingCommand,
} from '../../protocol/command.js';
import { Doorbell } from '../../runtime/memory/doorbell.js';
import { Ring } from '../../runtime/memory/ring.js';
import { FlightRecorder, TraceSwitch } from '../../runtime/trace/recorder.js';
import { decodeRecords, type RawRecord } from './raw-record.js';

export function makeRing(capacityBytes = 256 * 1024): Ring {
  return new Ring(Ring.allocate(capacityBytes));
}

/** A recorder, and its switch: off, unless a test turns it on. */
export function makeRecorder(traceSwitch = new TraceSwitch()): FlightRecorder {
  return new FlightRecorder(traceSwitch);
}

/** A bell that counts its rings. */
export class CountingBell extends Doorbell {
  rings = 0;

  constructor() {
    super();
    this.listen(() => this.rings++);
  }
}

/** One record, copied out. */
export interface TakenRecord {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Takes everything that is in a ring now. */
export function takeAll(ring: Ring, limit = Number.POSITIVE_INFINITY): TakenRecord[] {
  const taken: TakenRecord[] = [];
  for (let at = ring.poll(); at >= 0; at = ring.poll()) {
    taken.push({ type: ring.type, bytes: ring.bytes.slice(at, at + ring.length) });
    ring.release();
    if (taken.length >= limit) break;
  }
  ring.publishReleased();
  return taken;
}

/** Fills a ring until nothing of `length` bytes fits; returns how many records it took. */
export function fillRing(ring: Ring, type: number, length = 64): number {
  let count = 0;
  while (ring.offer(type, new Uint8Array(length))) count++;
  return count;
}

// ---- requests ----

export interface Envelope {
  readonly opaque?: number;
  readonly oneway?: boolean;
  readonly serializeType?: SerializeType;
}

export function frameOf(
  code: number,
  fields: ExtFields,
  body: Uint8Array | null = null,
  envelope: Envelope = {},
): Uint8Array {
  const request = createRequest(code, fields, body);
  request.opaque = envelope.opaque ?? 1;
  request.flag = envelope.oneway === true ? 2 : 0;
  request.serializeType = envelope.serializeType ?? 0;
  return encodeCommand(request);
}

export interface SendFields extends Envelope {
  /** 10 has long names; 310 and 320 have one letter each. */
  readonly code?: 10 | 310 | 320;
  readonly topic?: string;
  readonly queueId?: number;
  readonly body?: Uint8Array | string;
  /** As on the wire. */
  readonly properties?: string;
  /** More fields, by their long names; undefined removes one. */
  readonly more?: ExtFields;
}

const letters: Readonly<Record<string, string>> = {
  producerGroup: 'a',
  topic: 'b',
  defaultTopic: 'c',
  defaultTopicQueueNums: 'd',
  queueId: 'e',
  sysFlag: 'f',
  bornTimestamp: 'g',
  flag: 'h',
  properties: 'i',
  reconsumeTimes: 'j',
  unitMode: 'k',
  maxReconsumeTimes: 'l',
  batch: 'm',
};

/** A send as a Java client frames it. */
export function sendFrame(send: SendFields = {}): Uint8Array {
  const fields = {
    producerGroup: 'PG',
    topic: send.topic ?? 'T',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: send.queueId ?? 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    flag: 0,
    properties: send.properties ?? 'TAGS\u0001TagA\u0002WAIT\u0001true',
    reconsumeTimes: 0,
    unitMode: false,
    ...send.more,
  };
  const code = send.code ?? 310;
  const named =
    code === 10 ? fields : Object.fromEntries(Object.entries(fields).map(([key, value]) => [letters[key]!, value]));
  const body =
    typeof send.body === 'string'
      ? new TextEncoder().encode(send.body)
      : (send.body ?? new TextEncoder().encode('hello'));
  return frameOf(code, named, body, send);
}

/** The same frame as an answer: only the flag of its JSON header differs. */
export function asAnswer(frame: Uint8Array): Uint8Array {
  const text = Buffer.from(frame).toString('latin1');
  return Buffer.from(text.replace('"flag":0,"language"', '"flag":1,"language"'), 'latin1');
}

/** The body of a batch: each message with its own properties. Source: spec remoting 5.5. */
export function batchBody(
  messages: readonly { body: string | Uint8Array; properties?: string; flag?: number }[],
): Uint8Array {
  const parts = messages.map(({ body, properties = '', flag = 0 }) => {
    const payload = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
    const own = Buffer.from(properties);
    const head = Buffer.alloc(20);
    head.writeInt32BE(22 + payload.length + own.length, 0);
    head.writeInt32BE(flag, 12);
    head.writeInt32BE(payload.length, 16);
    const size = Buffer.alloc(2);
    size.writeInt16BE(own.length);
    return Buffer.concat([head, payload, size, own]);
  });
  return new Uint8Array(Buffer.concat(parts));
}

export interface Peer {
  readonly connectionId?: number;
  readonly arrivedMs?: number;
  readonly peerAddress?: number;
  readonly peerPort?: number;
  /** The request is traced. */
  readonly traceId?: number;
}

/** Puts a request in a room's ring as remoting does. Errors: false when it is full. */
export function putInbound(ring: Ring, frame: Uint8Array, peer: Peer = {}): boolean {
  const at = ring.claim(InboundFrame.frameBytes + frame.length);
  if (at < 0) return false;
  const word = at >> 2;
  ring.words[word + InboundFrame.connectionId] = peer.connectionId ?? 1;
  ring.words[word + InboundFrame.code] = decodeCommandCode(frame);
  ring.words[word + InboundFrame.arrivedMs] = (peer.arrivedMs ?? 0) | 0;
  ring.words[word + InboundFrame.peerAddress] = peer.peerAddress ?? 0x7f000001;
  ring.words[word + InboundFrame.peerPort] = peer.peerPort ?? 40_000;
  ring.words[word + InboundFrame.frameSize] = frame.length;
  ring.words[word + InboundFrame.traceId] = peer.traceId ?? 0;
  ring.bytes.set(frame, at + InboundFrame.frameBytes);
  ring.commit(InboundType.FRAME, InboundFrame.frameBytes + frame.length);
  return true;
}

function decodeCommandCode(frame: Uint8Array): number {
  try {
    return decodeCommand(frame).code;
  } catch {
    return -1;
  }
}

/** Puts "connection closed" in a room's ring. */
export function putClosed(ring: Ring, connectionId: number): void {
  const at = ring.claim(4);
  ring.words[at >> 2] = connectionId;
  ring.commit(InboundType.CLOSED, 4);
}

// ---- what rooms send to remoting ----

export interface Outbound {
  readonly kind: 'frame' | 'refused' | 'result' | 'close';
  readonly connectionId: number;
  /** Of `frame` and `refused`; undefined when only the permit came back. */
  readonly command?: RemotingCommand;
  /** Of `result`. */
  readonly result?: {
    readonly opaque: number;
    readonly flags: number;
    readonly code: number;
    readonly queueId: number;
    readonly count: number;
    readonly queueOffset: number;
    readonly physicalOffset: number;
    readonly size: number;
    readonly sizes: readonly number[];
  };
}

export function takeOutbound(ring: Ring, limit = Number.POSITIVE_INFINITY): Outbound[] {
  return takeAll(ring, limit).map(parseOutbound);
}

function parseOutbound({ type, bytes }: TakenRecord): Outbound {
  const words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
  const connectionId = words[OutboundFrame.connectionId]!;
  if (type === OutboundType.CLOSE) return { kind: 'close', connectionId };
  if (type === OutboundType.APPEND_RESULT) {
    const result = {
      opaque: words[AppendResult.opaque]!,
      flags: words[AppendResult.flags]!,
      code: words[AppendResult.code]!,
      queueId: words[AppendResult.queueId]!,
      count: words[AppendResult.count]!,
      queueOffset: join64(words[AppendResult.queueOffsetLow]!, words[AppendResult.queueOffsetHigh]!),
      physicalOffset: join64(words[AppendResult.physicalOffsetLow]!, words[AppendResult.physicalOffsetHigh]!),
      size: words[AppendResult.size]!,
      sizes: [...words.subarray(AppendResult.sizes)],
    };
    return { kind: 'result', connectionId, result };
  }
  const kind = type === OutboundType.SEND_REFUSED ? 'refused' : 'frame';
  if (bytes.length <= OutboundFrame.frameBytes) return { kind, connectionId };
  return { kind, connectionId, command: decodeCommand(bytes.slice(OutboundFrame.frameBytes)) };
}

// ---- between send lane and writer ----

export interface Append {
  readonly connectionId: number;
  readonly opaque: number;
  readonly flags: number;
  readonly queueNumber: number;
  readonly queueId: number;
  readonly count: number;
  readonly size: number;
  readonly companionQueue: number;
  /** 0: it is not traced. */
  readonly traceId: number;
  readonly records: readonly RawRecord[];
}

/** What a send lane asked the writer to append. */
export function takeAppends(ring: Ring): Append[] {
  return takeAll(ring).map(({ bytes }) => {
    const words = new Int32Array(bytes.buffer, 0, AppendRequest.recordBytes >> 2);
    const records = decodeRecords(Buffer.from(bytes.subarray(AppendRequest.recordBytes)));
    return {
      connectionId: words[AppendRequest.connectionId]!,
      opaque: words[AppendRequest.opaque]!,
      flags: words[AppendRequest.flags]!,
      queueNumber: words[AppendRequest.queueNumber]!,
      queueId: words[AppendRequest.queueId]!,
      count: words[AppendRequest.count]!,
      size: words[AppendRequest.size]!,
      companionQueue: words[AppendRequest.companionQueue]!,
      traceId: words[AppendRequest.traceId]!,
      records,
    };
  });
}

export interface AppendFields {
  readonly connectionId?: number;
  readonly opaque?: number;
  readonly flags?: number;
  readonly queueNumber?: number;
  readonly queueId?: number;
  /** Queue of the last record, which is a companion then. */
  readonly companionQueue?: number;
  /** Of a room that appends for the broker. */
  readonly attempt?: number;
}

/** Asks the writer to append records, as a send lane does. Errors: false when its ring is full. */
export function putAppend(ring: Ring, records: readonly Uint8Array[], fields: AppendFields = {}): boolean {
  const bytes = Buffer.concat(records);
  const at = ring.claim(AppendRequest.recordBytes + bytes.length);
  if (at < 0) return false;
  const word = at >> 2;
  ring.words[word + AppendRequest.connectionId] = fields.connectionId ?? 1;
  ring.words[word + AppendRequest.opaque] = fields.opaque ?? 1;
  ring.words[word + AppendRequest.flags] = fields.flags ?? 0;
  ring.words[word + AppendRequest.queueNumber] = fields.queueNumber ?? 0;
  ring.words[word + AppendRequest.queueId] = fields.queueId ?? 0;
  ring.words[word + AppendRequest.count] = records.length - (fields.companionQueue === undefined ? 0 : 1);
  ring.words[word + AppendRequest.companionQueue] = fields.companionQueue ?? -1;
  ring.words[word + AppendRequest.attempt] = fields.attempt ?? 0;
  ring.words[word + AppendRequest.size] = bytes.length;
  ring.words[word + AppendRequest.arrivedMs] = 0;
  ring.bytes.set(bytes, at + AppendRequest.recordBytes);
  ring.commit(AppendType.REQUEST, AppendRequest.recordBytes + bytes.length);
  return true;
}

// ---- settings ----

export const sendContext: SendContext = {
  brokerName: 'broker-a',
  brokerClusterName: 'DefaultCluster',
  regionId: 'DefaultRegion',
  traceOn: true,
  storeAddress: 0x0a000002,
  storePort: 10_911,
  syncFlush: false,
  syncReplica: false,
  delayLevels: 18,
};

export const haSettings: BrokerSettings['ha'] = {
  haSendHeartbeatInterval: 5000,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 32_768,
  haMasterAddress: '',
  lastRecordOffset: -1,
};

export const laneSettings: LaneSettings = {
  maxMessageSize: 64 * 1024,
  waitTimeMillsInSendQueue: 200,
  brokerPermission: 6,
  rejectTransactionMessage: false,
  startAcceptSendRequestTimeStamp: 0,
};

export const pullSettings: PullLaneSettings = {
  brokerPermission: 6,
  offsetCheckInSlave: false,
  longPollingEnable: true,
  slaveReadEnable: false,
  shortPollingTimeMills: 1000,
  maxTransferBytesOnMessageInMemory: 256 * 1024,
  maxTransferCountOnMessageInMemory: 32,
  maxTransferBytesOnMessageInDisk: 64 * 1024,
  maxTransferCountOnMessageInDisk: 8,
  inMemoryBytes: 1e12,
  holdsMax: 1000,
  waitTimeMillsInPullQueue: 5000,
  maxMsgsNumBatch: 64,
  defaultQueryMaxNum: 32,
  enablePropertyFilter: true,
  filterSupportRetry: false,
};

export const transactionSettings: TransactionCheckerSettings = {
  check: true,
  transactionTimeOut: 6000,
  transactionCheckMax: 15,
  transactionCheckInterval: 60_000,
  fileReservedTime: 72,
};

/** A topic whose queues have the numbers `first`, `first` + 1, ... */
export function topicEntry(name: string, queues = 4, more: Partial<TopicEntry> = {}, first = 0): TopicEntry {
  return {
    name,
    perm: 6,
    readQueueNums: queues,
    writeQueueNums: queues,
    order: false,
    queueNumbers: Int32Array.from({ length: queues }, (_, queueId) => first + queueId),
    ...more,
  };
}
