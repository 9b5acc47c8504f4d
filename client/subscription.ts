/** What a push consumer wants of a topic, and how brokers are told. Source: spec remoting 6.7, 7.1; FilterAPI. */
import type { SubscriptionData } from '../protocol/bodies/group.js';
import { javaHashText } from '../protocol/message-record.js';
import { MQClientError } from './errors.js';
import { parseTags } from './tag-filter.js';

/** Which messages of a topic are wanted: tags, `a || b`, or a condition on their properties. */
export type MessageSelector =
  | { readonly expressionType: 'TAG'; readonly expression: string }
  | { readonly expressionType: 'SQL92'; readonly expression: string };

export const MessageSelector = {
  /** Tags, `created || paid`; `*` for every message. */
  byTag: (expression: string): MessageSelector => ({ expressionType: 'TAG', expression }),
  /** A condition on properties, `amount > 100 AND colour IS NOT NULL`; brokers need `enablePropertyFilter=true`. */
  bySql: (expression: string): MessageSelector => ({ expressionType: 'SQL92', expression }),
};

/** Errors: MQClientError INVALID_ARGUMENT for an empty condition, or tags that name none. */
export function createSubscription(
  topic: string,
  selector: string | MessageSelector,
  subVersion: number,
): SubscriptionData {
  const { expressionType, expression } = typeof selector === 'string' ? MessageSelector.byTag(selector) : selector;
  const subString = expression.trim();
  if (expressionType === 'SQL92') {
    if (subString === '') throw new MQClientError('INVALID_ARGUMENT', `the condition for topic ${topic} is empty`);
    return subscriptionOf(topic, subString, [], subVersion, expressionType);
  }
  const tags = parseTags(subString);
  if (tags === undefined) return subscriptionOf(topic, '*', [], subVersion, expressionType);
  if (tags.size === 0) throw new MQClientError('INVALID_ARGUMENT', `"${expression}" names no tag`);
  return subscriptionOf(topic, subString, [...tags], subVersion, expressionType);
}

function subscriptionOf(
  topic: string,
  subString: string,
  tagsSet: readonly string[],
  subVersion: number,
  expressionType: string,
): SubscriptionData {
  const codeSet = tagsSet.map(javaHashText);
  return { topic, subString, tagsSet, codeSet, subVersion, expressionType, classFilterMode: false };
}
