/**
 * Which messages a pull gets: by the subscription in the request or by the one of its group's members, tags or an
 * expression. Hot for who wants everything, cheap for who was here before.
 * Source: spec remoting 6.2, 6.7; PullMessageProcessor, ConsumerFilterManager.
 */
import { PullSysFlag, ResponseCode } from '../../protocol/codes.js';
import type { HeaderView } from '../../protocol/header-view.js';
import type { FieldIndex } from '../../protocol/headers/field-index.js';
import { PullMessageSlot } from '../../protocol/headers/pull-message.js';
import type { SqlFilter } from '../../protocol/sql-filter.js';
import { ALL_TAGS } from '../../protocol/tag-filter.js';
import { RETRY_TOPIC_PREFIX } from '../../protocol/topic-names.js';
import type { GroupEntry, GroupSnapshot } from '../group-snapshot.js';
import { FilterCache, parseFailed } from './filter-cache.js';
import type { PullLaneSettings } from './mailbox.js';
import { type MessageFilter, retryMessageFilter } from './message-filter.js';
import type { PullRefusal, SubscriptionRules } from './subscription-rules.js';

const ASTERISK = 0x2a;

export class PullFilters {
  readonly #rules: SubscriptionRules;
  readonly #groups: GroupSnapshot;
  readonly #cache = new FilterCache();

  constructor(rules: SubscriptionRules, groups: GroupSnapshot) {
    this.#rules = rules;
    this.#groups = groups;
  }

  /** `slots`: of the pull's fields in `header`. Errors: a refusal. */
  of(
    header: HeaderView,
    slots: FieldIndex['slots'],
    group: GroupEntry,
    topic: string,
    settings: PullLaneSettings,
  ): MessageFilter | PullRefusal {
    const inRequest = (header.integer(slots[PullMessageSlot.sysFlag]!) & PullSysFlag.SUBSCRIPTION) !== 0;
    const filter = inRequest
      ? this.#ofRequest(header, slots, settings)
      : this.#ofMembers(group, topic, header.integer(slots[PullMessageSlot.subVersion]!), settings);
    if (!settings.filterSupportRetry || 'code' in filter || !topic.startsWith(RETRY_TOPIC_PREFIX)) return filter;
    return this.#ofRetried(filter, topic.slice(RETRY_TOPIC_PREFIX.length));
  }

  #ofRequest(header: HeaderView, slots: FieldIndex['slots'], settings: PullLaneSettings): MessageFilter | PullRefusal {
    const type = header.string(slots[PullMessageSlot.expressionType]!);
    const index = slots[PullMessageSlot.subscription]!;
    if (!isTagType(type)) {
      const expression = index < 0 ? '' : header.string(index);
      if (expression === '') return parseFailed(`there is no expression of type ${type}`);
      return settings.enablePropertyFilter ? this.#cache.expression(type, expression) : notEnabled(type);
    }
    // Nearly everybody subscribes to everything: not worth a string.
    if (index < 0) return ALL_TAGS;
    const start = header.valueStart[index]!;
    if (header.valueEnd[index]! - start === 1 && header.bytes[start] === ASTERISK) return ALL_TAGS;
    return this.#cache.tags(header.string(index));
  }

  #ofMembers(
    group: GroupEntry,
    topic: string,
    subVersion: number,
    settings: PullLaneSettings,
  ): MessageFilter | PullRefusal {
    const subscription = this.#rules.findSubscription(group, topic, subVersion);
    if ('code' in subscription) return subscription;
    if (isTagType(subscription.expressionType)) return this.#cache.tags(subscription.subString);
    const registered = this.#rules.findFilter(group, topic, subVersion);
    if ('code' in registered) return registered;
    if (!settings.enablePropertyFilter) return notEnabled(subscription.expressionType);
    return this.#cache.expression(registered.expressionType, registered.expression);
  }

  #ofRetried(filter: MessageFilter, groupName: string): MessageFilter {
    return retryMessageFilter(filter, topic => this.#registered(groupName, topic));
  }

  #registered(groupName: string, topic: string): SqlFilter | undefined {
    const filter = this.#groups.get(groupName)?.filters?.find(one => one.topic === topic);
    return filter === undefined ? undefined : this.#cache.sql(filter.expressionType, filter.expression);
  }
}

function isTagType(type: string): boolean {
  return type === '' || type === 'TAG';
}

function notEnabled(type: string): PullRefusal {
  const remark = `The broker does not support consumer to filter message by ${type}`;
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
