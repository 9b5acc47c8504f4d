/**
 * CONSUMER_SEND_MSG_BACK (36): a consumer gives back what it could not consume. It comes again later through the retry
 * topic of the group, or goes to the group's dead letters. Cold.
 * Source: spec scheduling 2.2; SendMessageProcessor.asyncConsumerSendMsgBack.
 */
import { Permission, ResponseCode } from '../../protocol/codes.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { formatMessageId } from '../../protocol/message-id.js';
import {
  formatProperties,
  PROPERTIES_SIZE_MAX,
  recordFlag,
  recordPhysicalOffset,
  recordReconsumeTimes,
  recordStoreAddress,
  recordStorePort,
  recordSysFlag,
  TOPIC_SIZE_MAX,
} from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { readRecordProperties, readRecordTopic } from '../../protocol/record-copy.js';
import { DLQ_TOPIC_PREFIX, RETRY_TOPIC_PREFIX } from '../../protocol/topic-names.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import { describeStoreState, StoreState, UNWRITABLE } from '../store-state.js';
import { VERSION_WITH_MAX_RECONSUME_TIMES } from './behaviour.js';
import { placeDelayed } from './placement.js';
import {
  answer,
  copyAt,
  type LaneView,
  queueNumberOf,
  randomQueue,
  type StoredHandler,
  type StoredOutcome,
} from './stored-requests.js';

/** Level of the first retry: 10 s by default. */
const FIRST_RETRY_LEVEL = 3;
const encoder = new TextEncoder();

export const sendBack: StoredHandler = (request, view) => {
  const { extFields } = request;
  const name = extFields.group ?? '';
  const group = view.groups.get(name);
  if (group === undefined) {
    const remark = `subscription group not exist, ${name}`;
    return { kind: 'topicNeeded', code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark };
  }
  const refusal = refusalOf(name, view);
  if (refusal !== undefined) return refusal;
  if (group.retryQueueNums <= 0) return answer(ResponseCode.SUCCESS);
  const retryName = `${RETRY_TOPIC_PREFIX}${name}`;
  const retryTopic = view.topics.get(retryName);
  if (retryTopic === undefined) {
    return { kind: 'topicNeeded', code: ResponseCode.SYSTEM_ERROR, remark: `topic[${retryName}] not exist` };
  }
  if ((retryTopic.perm & Permission.WRITE) === 0) {
    return answer(ResponseCode.NO_PERMISSION, `the topic[${retryTopic.name}] sending message is forbidden`);
  }
  const position = Number(extFields.offset ?? Number.NaN);
  const source = Number.isSafeInteger(position) ? view.records.take(position) : undefined;
  if (source === undefined) {
    return answer(ResponseCode.SYSTEM_ERROR, `look message by offset failed, ${extFields.offset}`);
  }
  const times = recordReconsumeTimes(source, 0);
  const level = integerOf(extFields.delayLevel, 0);
  const isDead = times >= timesMax(request, group.retryMaxTimes) || level < 0;
  if (!isDead) {
    const delay = level === 0 ? FIRST_RETRY_LEVEL + times : level;
    return store(name, source, retryTopic, randomQueue(retryTopic, group.retryQueueNums), delay, view);
  }
  const deadName = `${DLQ_TOPIC_PREFIX}${name}`;
  const deadLetters = view.topics.get(deadName);
  if (deadLetters === undefined) {
    return { kind: 'deadLetterTopicNeeded', code: ResponseCode.SYSTEM_ERROR, remark: `topic[${deadName}] not exist` };
  }
  return store(name, source, deadLetters, randomQueue(deadLetters, deadLetters.writeQueueNums), 0, view);
};

function refusalOf(group: string, view: LaneView): StoredOutcome | undefined {
  const { context, settings, storeState } = view;
  if ((settings.brokerPermission & Permission.WRITE) === 0) {
    return answer(ResponseCode.NO_PERMISSION, `the broker[${context.brokerName}] sending message is forbidden`);
  }
  if ((storeState & UNWRITABLE) !== 0) {
    // RocketMQ says SYSTEM_ERROR to whatever the store refuses here: the client then sends to the retry topic itself.
    const slave = (storeState & StoreState.SLAVE) !== 0;
    return answer(ResponseCode.SYSTEM_ERROR, slave ? 'SERVICE_NOT_AVAILABLE' : describeStoreState(storeState));
  }
  if (RETRY_TOPIC_PREFIX.length + encoder.encode(group).length <= TOPIC_SIZE_MAX) return undefined;
  return answer(
    ResponseCode.SYSTEM_ERROR,
    `MESSAGE_ILLEGAL: the retry topic of ${group} is longer than a record can carry`,
  );
}

/** How often a message may come back: what the client says counts more than the group's configuration. */
function timesMax(request: Pick<RemotingCommand, 'version' | 'extFields'>, configured: number): number {
  if (request.version < VERSION_WITH_MAX_RECONSUME_TIMES) return configured;
  return integerOf(request.extFields.maxReconsumeTimes, configured);
}

function integerOf(text: string | undefined, missing: number): number {
  const value = Number(text ?? Number.NaN);
  return Number.isInteger(value) ? value : missing;
}

function store(
  group: string,
  source: Uint8Array,
  topic: { readonly name: string },
  queueId: number,
  delayLevel: number,
  view: LaneView,
): StoredOutcome {
  const { context, topics } = view;
  const properties = readRecordProperties(source, 0);
  if (!properties.has(MessageProperty.RETRY_TOPIC))
    properties.set(MessageProperty.RETRY_TOPIC, readRecordTopic(source, 0));
  if (!properties.has(MessageProperty.ORIGIN_MESSAGE_ID)) {
    properties.set(MessageProperty.ORIGIN_MESSAGE_ID, messageIdOf(source));
  }
  properties.set(MessageProperty.WAIT, 'false');
  properties.set(MessageProperty.DELAY, String(delayLevel));
  const sysFlag = recordSysFlag(source, 0);
  const place = placeDelayed(properties, sysFlag, { topic: topic.name, queueId }, context.delayLevels);
  const queueNumber = queueNumberOf(topics, place);
  if (queueNumber === undefined) {
    return answer(ResponseCode.SYSTEM_ERROR, `queue ${place.queueId} of ${place.topic} is not there`);
  }
  const text = encoder.encode(formatProperties(properties));
  if (text.length > PROPERTIES_SIZE_MAX)
    return answer(ResponseCode.SYSTEM_ERROR, 'MESSAGE_ILLEGAL: too many properties');
  const records = copyAt(source, place, text, context, {
    flag: recordFlag(source, 0),
    sysFlag,
    reconsumeTimes: recordReconsumeTimes(source, 0) + 1,
    preparedTransactionOffset: 0,
  });
  // RocketMQ waits for nothing here. The consumer forgets the message once this is answered, so it is waited for as a
  // send is.
  const sentBack = { topic: readRecordTopic(source, 0), group };
  return {
    kind: 'append',
    records,
    queueNumber,
    queueId,
    count: 1,
    companionQueue: -1,
    waits: true,
    traceEvent: TraceEvent.laneSentBack,
    madeFrom: recordPhysicalOffset(source, 0),
    sentBack,
  };
}

function messageIdOf(source: Uint8Array): string {
  return formatMessageId(recordStoreAddress(source, 0), recordStorePort(source, 0), recordPhysicalOffset(source, 0));
}
