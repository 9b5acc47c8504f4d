/**
 * Topics and groups that somebody made, told from those of the brokers themselves.
 */
import type { Admin } from '../client/index.js';
import { isSystemTopic, RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';

/** Source: spec remoting 12.3; TopicValidator. */
const isInternalTopic = (topic: string): boolean =>
  isSystemTopic(topic) || topic.startsWith(RETRY_TOPIC_PREFIX) || topic.endsWith('_REPLY_TOPIC');

/** The names of the topics somebody made, sorted; with `all` of every topic. */
export async function topicNames(admin: Admin, all: boolean): Promise<string[]> {
  const [names, info] = await Promise.all([admin.topicList(), admin.clusterInfo()]);
  const ofBrokers = new Set([...Object.keys(info.clusterAddrTable), ...Object.keys(info.brokerAddrTable)]);
  return names.filter(name => all || !(ofBrokers.has(name) || isInternalTopic(name))).sort();
}

const internalGroups: ReadonlySet<string> = new Set(['TOOLS_CONSUMER', 'FILTERSRV_CONSUMER', 'SELF_TEST_C_GROUP']);

/** Groups that brokers make for themselves and their tools. Source: MixAll, SubscriptionGroupManager. */
export function isInternalGroup(group: string): boolean {
  return internalGroups.has(group) || /^CID_(RMQ_SYS_|ONSAPI_|ONS-HTTP-PROXY$)/.test(group);
}
