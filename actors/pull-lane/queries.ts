/**
 * The other requests that read the store: bounds, time search, one message by its offset. Cold.
 * Source: spec storage 4.5, 13, remoting 4.2.1; AdminBrokerProcessor, QueryMessageProcessor.
 */
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { recordStoreTimestamp } from '../../protocol/message-record.js';
import type { Positions } from '../../runtime/memory/positions.js';
import type { CommitLogReader } from '../../storage/commit-log-reader.js';
import type { ConsumeQueueReader } from '../../storage/consume-queue.js';
import type { MessageIndexReader } from '../../storage/message-index.js';
import { readRecord } from '../../storage/record-reader.js';
import { searchOffset } from '../offset-search.js';
import type { QueueTable } from '../queue-table.js';
import type { TopicSnapshot } from '../topic-snapshot.js';

/** A record's head up to the store time, with IPv6 hosts. Units: bytes. */
const HEAD_SIZE = 100;

export interface QueryOptions {
  readonly topics: TopicSnapshot;
  readonly table: QueueTable;
  readonly positions: Positions;
  readonly log: CommitLogReader;
  readonly index: MessageIndexReader;
  readonly limits: () => { readonly maxMsgsNumBatch: number; readonly defaultQueryMaxNum: number };
  /** More than this fits no answer. Units: bytes. */
  readonly answerSizeMax: number;
  readonly queueReader: (topic: string, queueId: number, queueNumber: number) => ConsumeQueueReader;
}

export class StoreQueries {
  readonly #options: QueryOptions;
  readonly #head = new Uint8Array(HEAD_SIZE);

  constructor(options: QueryOptions) {
    this.#options = options;
  }

  answer(request: RemotingCommand): RemotingCommand {
    const { topic = '' } = request.extFields;
    const queueId = Number(request.extFields.queueId ?? 0);
    switch (request.code) {
      case RequestCode.GET_MAX_OFFSET:
        return createResponse(request, ResponseCode.SUCCESS, null, { offset: this.maxOffset(topic, queueId) });
      case RequestCode.GET_MIN_OFFSET:
        return createResponse(request, ResponseCode.SUCCESS, null, { offset: this.minOffset(topic, queueId) });
      case RequestCode.SEARCH_OFFSET_BY_TIMESTAMP: {
        const offset = this.searchOffset(topic, queueId, Number(request.extFields.timestamp ?? 0));
        return createResponse(request, ResponseCode.SUCCESS, null, { offset });
      }
      case RequestCode.GET_EARLIEST_MSG_STORETIME:
        return createResponse(request, ResponseCode.SUCCESS, null, {
          timestamp: this.earliestStoreTime(topic, queueId),
        });
      case RequestCode.QUERY_MESSAGE:
        return this.#queryMessage(request);
      default:
        return this.#viewMessage(request);
    }
  }

  #numberOf(topic: string, queueId: number): number {
    return this.#options.topics.get(topic)?.queueNumbers[queueId] ?? -1;
  }

  /** 0 for an unknown queue. */
  maxOffset(topic: string, queueId: number): number {
    const number = this.#numberOf(topic, queueId);
    return number < 0 ? 0 : this.#options.table.max(number);
  }

  minOffset(topic: string, queueId: number): number {
    const number = this.#numberOf(topic, queueId);
    return number < 0 ? 0 : this.#options.table.min(number);
  }

  /** Store time of the first message, -1 when there is none. Units: ms. */
  earliestStoreTime(topic: string, queueId: number): number {
    const number = this.#numberOf(topic, queueId);
    if (number < 0) return -1;
    const min = this.#options.table.min(number);
    return min < this.#options.table.max(number) ? this.#storeTime(topic, queueId, number, min) : -1;
  }

  /** The message stored nearest to a time. Units: ms. 0 for an unknown or empty queue. */
  searchOffset(topic: string, queueId: number, timestampMs: number): number {
    const number = this.#numberOf(topic, queueId);
    if (number < 0) return 0;
    const { table } = this.#options;
    return searchOffset(table.min(number), table.max(number), timestampMs, offset =>
      this.#storeTime(topic, queueId, number, offset),
    );
  }

  /** Store time of an entry's message; -1 when it cannot be read. */
  #storeTime(topic: string, queueId: number, number: number, offset: number): number {
    const reader = this.#options.queueReader(topic, queueId, number);
    if (reader.load(offset, 1) === 0) return -1;
    const length = this.#options.log.read(this.#head, 0, HEAD_SIZE, reader.physicalOffset(0));
    return length === HEAD_SIZE || length >= 64 ? recordStoreTimestamp(this.#head, 0) : -1;
  }

  #viewMessage(request: RemotingCommand): RemotingCommand {
    const position = Number(request.extFields.offset ?? -1);
    const record = this.readRecord(position);
    if (record === undefined) {
      return createResponse(request, ResponseCode.SYSTEM_ERROR, `can not find message by the offset, ${position}`);
    }
    return createResponse(request, ResponseCode.SUCCESS, null, {}, record);
  }

  /**
   * Messages by key. Keys that share a hash are among them, as upstream: the client compares the text.
   * Source: spec storage 5.3; QueryMessageProcessor.
   */
  #queryMessage(request: RemotingCommand): RemotingCommand {
    const { topic = '', key = '', maxNum, beginTimestamp, endTimestamp } = request.extFields;
    const { maxMsgsNumBatch, defaultQueryMaxNum } = this.#options.limits();
    const unique = request.extFields._UNIQUE_KEY_QUERY === 'true';
    const wanted = unique ? defaultQueryMaxNum : Math.min(Number(maxNum ?? maxMsgsNumBatch), maxMsgsNumBatch);
    const begin = Number(beginTimestamp ?? 0);
    const end = Number(endTimestamp ?? Number.MAX_SAFE_INTEGER);
    const found = this.#options.index.query(topic, key, wanted, begin, end);
    const records: Uint8Array[] = [];
    let size = 0;
    for (const position of found.physicalOffsets.sort((left, right) => left - right)) {
      const record = this.readRecord(position);
      if (record === undefined || size + record.length > this.#options.answerSizeMax) continue;
      records.push(record);
      size += record.length;
    }
    const { indexLastUpdateTimestamp, indexLastUpdatePhyoffset } = found;
    const fields = { indexLastUpdateTimestamp, indexLastUpdatePhyoffset };
    if (records.length === 0) {
      const remark = 'can not find message, maybe time range not correct';
      return createResponse(request, ResponseCode.QUERY_NOT_FOUND, remark, fields);
    }
    return createResponse(request, ResponseCode.SUCCESS, null, fields, Buffer.concat(records));
  }

  /** The whole record that starts at `position`; undefined when none does. */
  readRecord(position: number): Uint8Array | undefined {
    const { positions, log } = this.#options;
    return readRecord(log, position, positions.read('minimum'), positions.read('appended'));
  }
}
