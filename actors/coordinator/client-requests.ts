/**
 * Requests about clients, and those that are passed on to one and wait for its answer.
 * Source: spec remoting 4.2.2, 4.2.3, 10.3; AdminBrokerProcessor, Broker2Client.
 */
import { decodeBody, integerOf, messageQueueEntriesOf, messageQueueMap } from '../../protocol/bodies.js';
import { languageNames, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type ExtFields, type RemotingCommand } from '../../protocol/command.js';
import { physicalOffsetOf } from '../../protocol/message-id.js';
import type { Member } from './client-table.js';
import { type Handler, successWithBody, systemError } from './handler.js';
import type { CoordinatorState } from './state.js';

/** V3_0_7_SNAPSHOT: older clients do not tell how far they are, and cannot be told to start elsewhere. */
export const VERSION_WITH_OFFSET_REQUESTS = 28;
/** V3_1_8_SNAPSHOT: older clients do not tell how they are. */
const VERSION_WITH_RUNNING_INFO = 62;
/** Units: ms. Source: Broker2Client. */
const RELAY_TIMEOUT_MS = 10_000;
const STATUS_TIMEOUT_MS = 5000;

function languageName({ language }: Member): string {
  return languageNames[language] ?? 'OTHER';
}

function connectionSet(members: Iterable<Member>): object[] {
  return [...members].map(member => ({
    clientId: member.clientId,
    clientAddr: member.address,
    language: languageName(member),
    version: member.version,
  }));
}

const consumerConnections: Handler = (state, request) => {
  const { consumerGroup = '' } = request.extFields;
  const group = state.clients.consumerGroup(consumerGroup);
  if (group === undefined) {
    const remark = `the consumer group[${consumerGroup}] not online`;
    return createResponse(request, ResponseCode.CONSUMER_NOT_ONLINE, remark);
  }
  const { consumeFromWhere, consumeType, messageModel, subscriptions, members } = group;
  return successWithBody(request, {
    connectionSet: connectionSet(members.values()),
    subscriptionTable: Object.fromEntries(subscriptions),
    consumeFromWhere,
    consumeType,
    messageModel,
  });
};

const producerConnections: Handler = (state, request) => {
  const { producerGroup = '' } = request.extFields;
  const members = state.clients.producerGroup(producerGroup);
  if (members === undefined) return systemError(request, `the producer group[${producerGroup}] not exist`);
  return successWithBody(request, { connectionSet: connectionSet(members.values()) });
};

const allProducers: Handler = (state, request) => {
  const data = [...state.clients.producerGroups()].map(([group, members]) => {
    const infos = [...members.values()].map(member => ({
      clientId: member.clientId,
      remoteIP: `/${member.address}`,
      language: languageName(member),
      version: member.version,
      lastUpdateTimestamp: member.lastUpdateMs,
    }));
    return [group, infos] as const;
  });
  return successWithBody(request, { data: Object.fromEntries(data) });
};

// ---- passed on ----

const runningInfo: Handler = (state, request) => relay(state, request, request.extFields, request.body);

/** The client gets the stored record to consume and tells what its listener said. */
const consumeDirectly: Handler = (state, request) => {
  const { msgId = '' } = request.extFields;
  const record = state.store.recordAt(physicalOffsetOf(msgId));
  if (record === undefined) return systemError(request, `there is no message ${msgId}`);
  return relay(state, request, { ...request.extFields, brokerName: state.brokerName }, record);
};

/** Asks the one client of a group; its answer goes back as it came. */
async function relay(
  state: CoordinatorState,
  request: RemotingCommand,
  fields: ExtFields,
  body: Uint8Array | null,
): Promise<RemotingCommand> {
  const { consumerGroup = '', clientId = '' } = request.extFields;
  const members = state.clients.consumerGroup(consumerGroup)?.members.values() ?? [];
  const member = [...members].find(one => one.clientId === clientId);
  if (member === undefined) return systemError(request, `The Consumer <${consumerGroup}> <${clientId}> not online`);
  if (member.version < VERSION_WITH_RUNNING_INFO) {
    const remark = `The Consumer <${clientId}> Version <${member.version}> too low to finish, please upgrade it to V3_1_8_SNAPSHOT`;
    return systemError(request, remark);
  }
  const { code } = request;
  const outcome = await state.call(member.connectionId, { code, fields, body, timeoutMs: RELAY_TIMEOUT_MS });
  if (outcome === 'timeout') {
    const remark = `consumer <${consumerGroup}> <${clientId}> Timeout: no answer in ${RELAY_TIMEOUT_MS}ms`;
    return createResponse(request, ResponseCode.CONSUME_MSG_TIMEOUT, remark);
  }
  if (typeof outcome === 'string') {
    return systemError(request, `invoke consumer <${consumerGroup}> <${clientId}> Exception: ${outcome}`);
  }
  return createResponse(request, outcome.code, outcome.remark, outcome.extFields, outcome.body);
}

/** What each client of a group, or the one that is named, has consumed of a topic. Who does not answer is left out. */
const consumerStatus: Handler = async (state, request) => {
  const { topic = '', group = '', clientAddr = '' } = request.extFields;
  const members = [...(state.clients.consumerGroup(group)?.members.values() ?? [])];
  if (members.length === 0) {
    return systemError(request, `No Any Consumer online in the consumer group: [${group}]`);
  }
  const tooOld = members.find(member => member.version < VERSION_WITH_OFFSET_REQUESTS);
  if (tooOld !== undefined) {
    return systemError(request, `the client does not support this feature. version=${tooOld.version}`);
  }
  const asked = members.filter(member => clientAddr.trim() === '' || member.clientId === clientAddr);
  const call = {
    code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT,
    fields: { topic, group },
    timeoutMs: STATUS_TIMEOUT_MS,
  };
  const answers = await Promise.all(
    asked.map(async member => [member.clientId, await state.call(member.connectionId, call)] as const),
  );
  const consumerTable: Record<string, object> = {};
  for (const [clientId, answer] of answers) {
    if (typeof answer === 'string' || answer.code !== ResponseCode.SUCCESS || answer.body === null) continue;
    const { messageQueueTable } = decodeBody(answer.body, 'GetConsumerStatusBody');
    consumerTable[clientId] = messageQueueMap(messageQueueEntriesOf(messageQueueTable, value => integerOf(value)));
  }
  return successWithBody(request, { consumerTable, messageQueueTable: {} });
};

export const clientHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.GET_CONSUMER_CONNECTION_LIST, consumerConnections],
  [RequestCode.GET_PRODUCER_CONNECTION_LIST, producerConnections],
  [RequestCode.GET_ALL_PRODUCER_INFO, allProducers],
  [RequestCode.GET_CONSUMER_RUNNING_INFO, runningInfo],
  [RequestCode.CONSUME_MESSAGE_DIRECTLY, consumeDirectly],
  [RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, consumerStatus],
]);
