/**
 * Clients by connection: who is in which group, from their heartbeats.
 * Source: spec remoting 7.1, 7.2; ConsumerManager, ProducerManager.
 */

import type { ConsumerData, HeartbeatData, SubscriptionData } from '../../protocol/bodies/group.js';
import { disputeOf, findDispute, type Wants, wantsOf } from './group-dispute.js';

/** A client that sends no heartbeat for this long is gone. Units: ms. */
export const CLIENT_EXPIRY_MS = 120_000;

/** A connection that sends heartbeats. */
export interface MemberIdentity {
  readonly connectionId: number;
  /** `ip:port`. */
  readonly address: string;
  readonly language: number;
  readonly version: number;
}

export interface Member extends MemberIdentity {
  readonly clientId: string;
  readonly lastUpdateMs: number;
  /** Of a member of a consumer group. */
  readonly wants?: Wants;
}

export interface ConsumerGroup {
  readonly name: string;
  consumeType: ConsumerData['consumeType'];
  messageModel: ConsumerData['messageModel'];
  consumeFromWhere: ConsumerData['consumeFromWhere'];
  /** By connection. */
  readonly members: Map<number, Member>;
  /** By topic. */
  readonly subscriptions: Map<string, SubscriptionData>;
}

/** What a heartbeat, a farewell or a closed connection changed in one consumer group. */
export interface GroupChange {
  readonly group: ConsumerGroup;
  /** Members came or went, or the set of topics changed: the others are to be told. */
  readonly membersChanged: boolean;
  /** Subscriptions or the model changed: pull lanes are to be told. */
  readonly subscriptionChanged: boolean;
  /** A member wants something else than another one since now. */
  readonly dispute?: { readonly clientIds: readonly [string, string]; readonly about: string };
}

export class ClientTable {
  readonly #consumers = new Map<string, ConsumerGroup>();
  readonly #producers = new Map<string, Map<number, Member>>();

  consumerGroup(name: string): ConsumerGroup | undefined {
    return this.#consumers.get(name);
  }

  producerGroup(name: string): ReadonlyMap<number, Member> | undefined {
    return this.#producers.get(name);
  }

  /** A producer by its client id; undefined when it is not connected. */
  producer(clientId: string): Member | undefined {
    for (const members of this.#producers.values()) {
      for (const member of members.values()) if (member.clientId === clientId) return member;
    }
    return undefined;
  }

  producerGroups(): IterableIterator<[string, ReadonlyMap<number, Member>]> {
    return this.#producers.entries();
  }

  /** Online groups that want a topic. */
  groupsOfTopic(topic: string): string[] {
    return [...this.#consumers.values()].filter(group => group.subscriptions.has(topic)).map(group => group.name);
  }

  /**
   * Whether an online group does not want a topic (any more): what it once consumed of it is history. A group that is
   * offline, or names no topics, may want any.
   */
  isUnsubscribed(group: string, topic: string): boolean {
    const subscriptions = this.#consumers.get(group)?.subscriptions;
    return subscriptions !== undefined && subscriptions.size > 0 && !subscriptions.has(topic);
  }

  heartbeat(identity: MemberIdentity, data: HeartbeatData, nowMs: number): GroupChange[] {
    const member = { ...identity, clientId: data.clientID, lastUpdateMs: nowMs };
    const changes = data.consumerDataSet.map(consumer => this.#consumerHeartbeat(consumer, member));
    for (const { groupName } of data.producerDataSet) {
      const members = this.#producers.get(groupName);
      if (members === undefined) this.#producers.set(groupName, new Map([[identity.connectionId, member]]));
      else members.set(identity.connectionId, member);
    }
    return changes;
  }

  #consumerHeartbeat(data: ConsumerData, member: Member): GroupChange {
    let group = this.#consumers.get(data.groupName);
    if (group === undefined) {
      group = {
        name: data.groupName,
        consumeType: data.consumeType,
        messageModel: data.messageModel,
        consumeFromWhere: data.consumeFromWhere,
        members: new Map(),
        subscriptions: new Map(),
      };
      this.#consumers.set(data.groupName, group);
    }
    const modelChanged = group.messageModel !== data.messageModel;
    group.consumeType = data.consumeType;
    group.messageModel = data.messageModel;
    group.consumeFromWhere = data.consumeFromWhere;
    const before = group.members.get(member.connectionId)?.wants;
    const isNew = before === undefined;
    const wanting = { ...member, wants: wantsOf(data) };
    group.members.set(member.connectionId, wanting);
    const { topicsChanged, versionsChanged } = updateSubscriptions(group, data.subscriptionDataSet);
    const changed = isNew || disputeOf(before, wanting.wants) !== undefined;
    const dispute = changed ? findDispute(wanting, group.members.values()) : undefined;
    return {
      group,
      ...(dispute && { dispute: { clientIds: [member.clientId, dispute.with] as const, about: dispute.about } }),
      membersChanged: isNew || topicsChanged,
      subscriptionChanged: isNew || modelChanged || topicsChanged || versionsChanged,
    };
  }

  /** UNREGISTER_CLIENT: the client leaves one consumer and one producer group. */
  unregister(
    connectionId: number,
    consumerGroup: string | undefined,
    producerGroup: string | undefined,
  ): GroupChange[] {
    if (producerGroup !== undefined) removeMember(this.#producers, producerGroup, connectionId);
    const group = consumerGroup === undefined ? undefined : this.#consumers.get(consumerGroup);
    return group === undefined ? [] : this.#leave(group, connectionId);
  }

  /** The connection is gone: it leaves everything at once. */
  connectionClosed(connectionId: number): GroupChange[] {
    for (const name of [...this.#producers.keys()]) removeMember(this.#producers, name, connectionId);
    return [...this.#consumers.values()].flatMap(group => this.#leave(group, connectionId));
  }

  #leave(group: ConsumerGroup, connectionId: number): GroupChange[] {
    if (!group.members.delete(connectionId)) return [];
    if (group.members.size === 0) this.#consumers.delete(group.name);
    return [{ group, membersChanged: true, subscriptionChanged: group.members.size === 0 }];
  }

  /** Connections that sent no heartbeat for too long. */
  expired(nowMs: number): number[] {
    const groups = [...[...this.#consumers.values()].map(group => group.members), ...this.#producers.values()];
    const ids = new Set<number>();
    for (const members of groups) {
      for (const member of members.values()) {
        if (nowMs - member.lastUpdateMs > CLIENT_EXPIRY_MS) ids.add(member.connectionId);
      }
    }
    return [...ids];
  }
}

/** A topic that the newest heartbeat does not name is no longer subscribed, for the whole group. */
function updateSubscriptions(
  group: ConsumerGroup,
  data: readonly SubscriptionData[],
): { topicsChanged: boolean; versionsChanged: boolean } {
  let topicsChanged = false;
  let versionsChanged = false;
  for (const subscription of data) {
    const known = group.subscriptions.get(subscription.topic);
    if (known === undefined) topicsChanged = true;
    else if (subscription.subVersion <= known.subVersion) continue;
    else versionsChanged = true;
    group.subscriptions.set(subscription.topic, subscription);
  }
  const topics = new Set(data.map(subscription => subscription.topic));
  for (const topic of group.subscriptions.keys()) {
    if (!topics.has(topic)) topicsChanged = group.subscriptions.delete(topic) || topicsChanged;
  }
  return { topicsChanged, versionsChanged };
}

function removeMember(groups: Map<string, Map<number, Member>>, name: string, connectionId: number): void {
  const members = groups.get(name);
  if (members?.delete(connectionId) && members.size === 0) groups.delete(name);
}
