/**
 * Whether a pull may read what it asks for, in RocketMQ's order and with its codes and remarks. Cold but for its happy
 * path.
 * Source: spec remoting 6.2; PullMessageProcessor.
 */
import { Permission, ResponseCode } from '../../protocol/codes.js';
import type { GroupEntry, GroupFilter, GroupSubscription } from '../group-snapshot.js';
import type { KnownTopic } from '../topic-snapshot.js';

export interface PullRefusal {
  readonly code: number;
  readonly remark: string;
}

export class SubscriptionRules {
  readonly #brokerName: string;

  constructor(brokerName: string) {
    this.#brokerName = brokerName;
  }

  /** Undefined when the queue may be read. */
  checkTarget(
    groupName: string,
    group: GroupEntry | undefined,
    topic: KnownTopic | undefined,
    topicName: string,
    queueId: number,
    brokerPermission: number,
  ): PullRefusal | undefined {
    if ((brokerPermission & Permission.READ) === 0) {
      return {
        code: ResponseCode.NO_PERMISSION,
        remark: `the broker[${this.#brokerName}] pulling message is forbidden`,
      };
    }
    if (group === undefined) {
      return {
        code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        remark: `subscription group [${groupName}] does not exist`,
      };
    }
    if (!group.consumeEnable) {
      return { code: ResponseCode.NO_PERMISSION, remark: `subscription group no permission, ${groupName}` };
    }
    if (topic === undefined) {
      return { code: ResponseCode.TOPIC_NOT_EXIST, remark: `topic[${topicName}] not exist, apply first please!` };
    }
    if ((topic.perm & Permission.READ) === 0) {
      return { code: ResponseCode.NO_PERMISSION, remark: `the topic[${topicName}] pulling message is forbidden` };
    }
    if (queueId < 0 || queueId >= topic.readQueueNums) {
      const remark = `queueId[${queueId}] is illegal, topic:[${topicName}] topicConfig.readQueueNums:[${topic.readQueueNums}] consumer:[${groupName}]`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    return undefined;
  }

  /** What the group's members said they want of the topic. */
  findSubscription(group: GroupEntry, topic: string, subVersion: number): GroupSubscription | PullRefusal {
    const refusal = this.checkMembers(group, group.name, topic);
    if (refusal !== undefined) return refusal;
    const subscription = group.members!.subscriptions.find(one => one.topic === topic)!;
    if (subscription.subVersion < subVersion) {
      return { code: ResponseCode.SUBSCRIPTION_NOT_LATEST, remark: "the consumer's subscription not latest" };
    }
    return subscription;
  }

  /** Undefined when the group has members that subscribe to the topic. */
  checkMembers(group: GroupEntry | undefined, groupName: string, topic: string): PullRefusal | undefined {
    const members = group?.members;
    if (members === undefined) {
      return {
        code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
        remark: `the consumer's group info not exist, group: ${groupName}`,
      };
    }
    if (members.messageModel === 'BROADCASTING' && group?.consumeBroadcastEnable !== true) {
      const remark = `the consumer group[${groupName}] can not consume by broadcast way`;
      return { code: ResponseCode.NO_PERMISSION, remark };
    }
    if (members.subscriptions.some(one => one.topic === topic)) return undefined;
    const remark = `the consumer's subscription not exist, group: ${groupName}, topic: ${topic}`;
    return { code: ResponseCode.SUBSCRIPTION_NOT_EXIST, remark };
  }

  /** The expression that belongs to a subscription which is no list of tags. */
  findFilter(group: GroupEntry, topic: string, subVersion: number): GroupFilter | PullRefusal {
    const filter = group.filters?.find(one => one.topic === topic);
    if (filter === undefined) {
      const remark = "The broker's consumer filter data is not exist!Your expression may be wrong!";
      return { code: ResponseCode.FILTER_DATA_NOT_EXIST, remark };
    }
    if (filter.clientVersion < subVersion) {
      const remark = "the consumer's consumer filter data not latest";
      return { code: ResponseCode.FILTER_DATA_NOT_LATEST, remark };
    }
    return filter;
  }
}
