/**
 * Members of one group must want the same: the last heartbeat counts for all of them, so a member with other topics or
 * another filter silently loses messages. RocketMQ says nothing; here it is said, with both clients' names.
 */
import type { ConsumerData } from '../../protocol/bodies/group.js';
import type { Member } from './client-table.js';

/** What a member of a consumer group wants. */
export interface Wants {
  readonly messageModel: ConsumerData['messageModel'];
  /** Expression by topic. */
  readonly topics: ReadonlyMap<string, string>;
}

export function wantsOf({ messageModel, subscriptionDataSet }: ConsumerData): Wants {
  const topics = subscriptionDataSet.map(({ topic, subString, expressionType }) => {
    return [topic, expressionType === 'TAG' ? subString : `${expressionType} ${subString}`] as const;
  });
  return { messageModel, topics: new Map(topics) };
}

/** How two members differ, in words; undefined when they want the same. */
export function disputeOf(one: Wants, other: Wants): string | undefined {
  if (one.messageModel !== other.messageModel) return `${one.messageModel} and ${other.messageModel}`;
  for (const [topic, expression] of one.topics) {
    const others = other.topics.get(topic);
    if (others === undefined) return `one subscribes to ${topic}, the other does not`;
    if (others !== expression) return `${topic} with ${JSON.stringify(expression)} and with ${JSON.stringify(others)}`;
  }
  for (const topic of other.topics.keys()) {
    if (!one.topics.has(topic)) return `one subscribes to ${topic}, the other does not`;
  }
  return undefined;
}

/** The first other member that wants something else than `member`. */
export function findDispute(
  member: Member & { readonly wants: Wants },
  members: Iterable<Member>,
): { readonly with: string; readonly about: string } | undefined {
  for (const other of members) {
    if (other.connectionId === member.connectionId || other.wants === undefined) continue;
    const about = disputeOf(member.wants, other.wants);
    if (about !== undefined) return { with: other.clientId, about };
  }
  return undefined;
}
