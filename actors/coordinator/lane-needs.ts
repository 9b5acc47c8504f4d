/**
 * What lanes ask for before they can go on with a request: its topic or its group. What may be made is made and
 * announced; the lane refuses the request itself when it comes back and still lacks it.
 */
import { RequestCode } from '../../protocol/codes.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { TOPIC_SIZE_MAX } from '../../protocol/message-record.js';
import { RETRY_TOPIC_PREFIX, topicFault } from '../../protocol/topic-names.js';
import { ensureDeadLetterTopic, ensureRetryTopic } from './retry-topics.js';
import { announceGroup, announceTopic, type CoordinatorState } from './state.js';

/** The topic of a first send, or what a message needs that comes back from its consumer. */
export function provideTopic(state: CoordinatorState, request: RemotingCommand): void {
  const name = topicOf(request);
  const group = groupOf(request, name);
  try {
    if (group !== undefined) provideRetryTopic(state, group);
    else planTopic(state, request, name);
  } catch (error) {
    state.log.error({ err: error, topic: name, group }, 'a topic could not be made');
  }
}

/** The topic of the dead letters of the request's group. */
export function provideDeadLetterTopic(state: CoordinatorState, request: RemotingCommand): void {
  const group = groupOf(request, topicOf(request));
  try {
    if (group !== undefined && state.groups.get(group) !== undefined) ensureDeadLetterTopic(state, group);
  } catch (error) {
    state.log.error({ err: error, group }, 'the topic of dead letters could not be made');
  }
}

/** The group of a pull. */
export function provideGroup(state: CoordinatorState, request: RemotingCommand): void {
  const name = request.extFields.consumerGroup ?? '';
  try {
    findOrCreateGroup(state, name);
  } catch (error) {
    state.log.error({ err: error, group: name }, 'a group could not be stored');
  }
}

function findOrCreateGroup(state: CoordinatorState, name: string): ReturnType<CoordinatorState['groups']['get']> {
  const { groups, settings, nowMs } = state;
  const group = groups.findOrCreate(name, settings.autoCreateSubscriptionGroup, nowMs);
  if (group !== undefined) announceGroup(state, name);
  return group;
}

function provideRetryTopic(state: CoordinatorState, name: string): void {
  const group = findOrCreateGroup(state, name);
  if (group !== undefined) ensureRetryTopic(state, name, group.retryQueueNums, false);
}

function hasShortNames({ code }: RemotingCommand): boolean {
  return code !== RequestCode.SEND_MESSAGE;
}

function topicOf(request: RemotingCommand): string {
  const { extFields } = request;
  return (hasShortNames(request) ? extFields.b : extFields.topic) ?? '';
}

/** The group whose message comes back, undefined for any other send. */
function groupOf({ code, extFields }: RemotingCommand, topic: string): string | undefined {
  if (code === RequestCode.CONSUMER_SEND_MSG_BACK) return extFields.group ?? '';
  return topic.startsWith(RETRY_TOPIC_PREFIX) ? topic.slice(RETRY_TOPIC_PREFIX.length) : undefined;
}

function planTopic(state: CoordinatorState, request: RemotingCommand, name: string): void {
  if (state.isSlave()) return;
  if (state.topics.get(name) !== undefined || topicFault(name, TOPIC_SIZE_MAX) !== undefined) return;
  const { extFields } = request;
  const short = hasShortNames(request);
  const template = (short ? extFields.c : extFields.defaultTopic) ?? '';
  const queues = Number((short ? extFields.d : extFields.defaultTopicQueueNums) ?? 4);
  const unitMode = (short ? extFields.k : extFields.unitMode) === 'true';
  const wanted = Number.isInteger(queues) ? queues : 4;
  const { autoCreateTopicEnable } = state.settings;
  const topic = state.topics.planOnSend(name, template, wanted, unitMode ? 1 : 0, autoCreateTopicEnable);
  if (topic === undefined) return;
  // Numbers first: a broker that has no more of them stores no topic it cannot serve.
  state.numbers.of(name, Math.max(topic.readQueueNums, topic.writeQueueNums));
  state.topics.put(topic, state.nowMs);
  state.log.info({ topic: name, queues: topic.writeQueueNums, template }, 'topic made by its first send');
  announceTopic(state, topic);
}
