/**
 * RESUME_CHECK_HALF_MESSAGE (323): an administrator wants a half message that was given up to be asked about again. A
 * copy of it goes back to the half messages, with its count of questions at 0. Cold.
 * Source: AdminBrokerProcessor.resumeCheckHalfMessage; spec transaction 6, 7.
 */
import { ResponseCode } from '../../protocol/codes.js';
import {
  formatProperties,
  PROPERTIES_SIZE_MAX,
  recordFlag,
  recordPhysicalOffset,
  recordReconsumeTimes,
  recordSysFlag,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { readRecordProperties, readRecordTopic } from '../../protocol/record-copy.js';
import { DISCARD_TOPIC, HALF_TOPIC } from '../../protocol/topic-names.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { describeStoreState, StoreState, UNWRITABLE } from '../store-state.js';
import { answer, copyAt, queueNumberOf, type StoredHandler } from './stored-requests.js';

const encoder = new TextEncoder();
/** An offset message id, with an IPv4 or an IPv6 host: the place in the log is its end. */
const MESSAGE_ID = /^(?:[0-9A-F]{32}|[0-9A-F]{56})$/i;

export const resumeCheck: StoredHandler = (request, view) => {
  const { storeState, topics, records, context } = view;
  if ((storeState & StoreState.SLAVE) !== 0) {
    return answer(ResponseCode.SLAVE_NOT_AVAILABLE, 'a slave stores no messages of its own');
  }
  if ((storeState & UNWRITABLE) !== 0) {
    const reason = describeStoreState(storeState);
    return answer(ResponseCode.SERVICE_NOT_AVAILABLE, `service not available now: ${reason}`);
  }
  const msgId = request.extFields.msgId ?? '';
  const source = MESSAGE_ID.test(msgId) ? records.take(Number(`0x${msgId.slice(-16)}`)) : undefined;
  // RocketMQ takes any message; one that is no half message could never be committed.
  if (source === undefined || readRecordTopic(source, 0) !== DISCARD_TOPIC) {
    return answer(ResponseCode.SYSTEM_ERROR, `the message ${msgId} is not in topic ${DISCARD_TOPIC}`);
  }
  const queueNumber = queueNumberOf(topics, { topic: HALF_TOPIC, queueId: 0 });
  if (queueNumber === undefined) return answer(ResponseCode.SYSTEM_ERROR, `the topic ${HALF_TOPIC} is not there`);
  const counted = readRecordProperties(source, 0).set(MessageProperty.TRANSACTION_CHECK_TIMES, '0');
  const properties = encoder.encode(formatProperties(counted));
  if (properties.length > PROPERTIES_SIZE_MAX) {
    return answer(ResponseCode.MESSAGE_ILLEGAL, 'its properties have no room for the count of questions');
  }
  const copy = copyAt(source, { topic: HALF_TOPIC, queueId: 0 }, properties, context, {
    flag: recordFlag(source, 0),
    sysFlag: recordSysFlag(source, 0),
    reconsumeTimes: recordReconsumeTimes(source, 0),
    preparedTransactionOffset: 0,
  });
  return {
    kind: 'append',
    records: copy,
    queueNumber,
    queueId: 0,
    count: 1,
    companionQueue: -1,
    waits: true,
    traceEvent: TraceEvent.laneResumed,
    madeFrom: recordPhysicalOffset(source, 0),
  };
};
