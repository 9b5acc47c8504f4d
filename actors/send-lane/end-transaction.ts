/**
 * END_TRANSACTION (37): a half message is committed, by a copy in its own topic, or rolled back. Either way an op
 * record says that it is decided; a committed message and its op record are stored in one write, so neither is there
 * alone. Cold.
 * Source: spec transaction 4, 5; EndTransactionProcessor, TransactionalMessageBridge.
 */
import { MessageSysFlag, ResponseCode } from '../../protocol/codes.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { bodyCrc32 } from '../../protocol/crc32.js';
import {
  beginRecord,
  finishRecord,
  formatProperties,
  recordFlag,
  recordPhysicalOffset,
  recordQueueOffset,
  recordReconsumeTimes,
  recordSize,
  recordSysFlag,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { copyRecord, copySizeMax, readRecordProperties, readRecordTopic } from '../../protocol/record-copy.js';
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../protocol/topic-names.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { describeStoreState, StoreState, UNWRITABLE } from '../store-state.js';
import { placeDelayed } from './placement.js';
import { answer, type LaneView, queueNumberOf, type StoredHandler, type StoredOutcome } from './stored-requests.js';

const encoder = new TextEncoder();
const opTopic = encoder.encode(OP_HALF_TOPIC);
/** As RocketMQ stores it. */
const opProperties = encoder.encode(
  formatProperties([
    [MessageProperty.TAGS, 'd'],
    [MessageProperty.WAIT, 'true'],
  ]),
);

export const endTransaction: StoredHandler = (request, view) => {
  const { storeState, topics, records } = view;
  if ((storeState & StoreState.SLAVE) !== 0) {
    return answer(ResponseCode.SLAVE_NOT_AVAILABLE, 'a slave ends no transactions');
  }
  const decision = Number(request.extFields.commitOrRollback ?? 0);
  const commit = decision === MessageSysFlag.TRANSACTION_COMMIT;
  // Unknown: the producer will be asked again.
  if (!commit && decision !== MessageSysFlag.TRANSACTION_ROLLBACK) return { kind: 'silence' };
  const position = Number(request.extFields.commitLogOffset ?? Number.NaN);
  const half = Number.isSafeInteger(position) ? records.find(position) : undefined;
  if (half === undefined || readRecordTopic(half, 0) !== HALF_TOPIC) {
    return answer(ResponseCode.SYSTEM_ERROR, 'Find prepared transaction message failed');
  }
  const properties = readRecordProperties(half, 0);
  const fault = faultOf(request, half, properties);
  if (fault !== undefined) return answer(ResponseCode.SYSTEM_ERROR, fault);
  if ((storeState & UNWRITABLE) !== 0) {
    const reason = describeStoreState(storeState);
    return answer(ResponseCode.SERVICE_NOT_AVAILABLE, `service not available now: ${reason}`);
  }
  const opQueue = queueNumberOf(topics, { topic: OP_HALF_TOPIC, queueId: 0 });
  if (opQueue === undefined) return answer(ResponseCode.SYSTEM_ERROR, `the topic ${OP_HALF_TOPIC} is not there`);
  const op = encoder.encode(String(recordQueueOffset(half, 0)));
  if (!commit) {
    const records = new Uint8Array(opSize(op));
    writeOp(records, 0, op, view);
    return {
      kind: 'append',
      records,
      queueNumber: opQueue,
      queueId: 0,
      count: 1,
      companionQueue: -1,
      waits: false,
      traceEvent: TraceEvent.laneRolledBack,
      madeFrom: position,
    };
  }
  return committed(half, properties, op, opQueue, view);
};

/** Whether the request is about this half message. */
function faultOf(
  request: RemotingCommand,
  half: Uint8Array,
  properties: ReadonlyMap<string, string>,
): string | undefined {
  const { producerGroup, tranStateTableOffset } = request.extFields;
  const group = properties.get(MessageProperty.PRODUCER_GROUP);
  if (group === undefined || group !== producerGroup) return 'The producer group wrong';
  if (Number(tranStateTableOffset) !== recordQueueOffset(half, 0)) return 'The transaction state table offset wrong';
  return undefined;
}

function committed(
  half: Uint8Array,
  properties: Map<string, string>,
  /** Body of the op record. */
  op: Uint8Array,
  opQueue: number,
  view: LaneView,
): StoredOutcome {
  const { context, topics } = view;
  const own = {
    topic: properties.get(MessageProperty.REAL_TOPIC) ?? '',
    queueId: Number(properties.get(MessageProperty.REAL_QUEUE_ID) ?? Number.NaN),
  };
  const sysFlag = (recordSysFlag(half, 0) & ~MessageSysFlag.TRANSACTION_MASK) | MessageSysFlag.TRANSACTION_COMMIT;
  const place = placeDelayed(properties, sysFlag, own, context.delayLevels);
  const queueNumber = queueNumberOf(topics, place);
  if (queueNumber === undefined) {
    const remark = `queue ${own.queueId} of topic[${own.topic}] is not there: the message cannot be committed`;
    return answer(ResponseCode.TOPIC_NOT_EXIST, remark);
  }
  const topic = topics.get(place.topic)!.nameBytes;
  const text = encoder.encode(formatProperties(properties));
  // Both records into one piece of memory: allocating is a good part of what a commit costs.
  const target = new Uint8Array(copySizeMax(half, 0, topic.length, text.length) + opSize(op));
  const opAt = copyRecord(half, 0, target, 0, {
    topic,
    queueId: place.queueId,
    properties: text,
    flag: recordFlag(half, 0),
    sysFlag,
    storeAddress: context.storeAddress,
    storePort: context.storePort,
    reconsumeTimes: recordReconsumeTimes(half, 0),
    preparedTransactionOffset: recordPhysicalOffset(half, 0),
  });
  const records = target.subarray(0, writeOp(target, opAt, op, view));
  const waits = properties.get(MessageProperty.WAIT) !== 'false';
  return {
    kind: 'append',
    records,
    queueNumber,
    queueId: own.queueId,
    count: 1,
    companionQueue: opQueue,
    waits,
    traceEvent: TraceEvent.laneCommitted,
    madeFrom: recordPhysicalOffset(half, 0),
  };
}

/** Of the record that {@link writeOp} writes. */
function opSize(body: Uint8Array): number {
  return recordSize(body.length, opTopic.length, opProperties.length);
}

/**
 * Says that the half message is decided whose offset in the half queue is `body`. Returns the position after the
 * record.
 */
function writeOp(target: Uint8Array, start: number, body: Uint8Array, { context, nowMs }: LaneView): number {
  const fields = {
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: nowMs,
    bornAddress: context.storeAddress,
    bornPort: context.storePort,
    storeAddress: context.storeAddress,
    storePort: context.storePort,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
  const crc = bodyCrc32(body, 0, body.length);
  const lengthAt = beginRecord(target, start, fields, crc, body, 0, body.length, opTopic);
  target.set(opProperties, lengthAt + 2);
  return finishRecord(target, start, lengthAt, opProperties.length);
}
