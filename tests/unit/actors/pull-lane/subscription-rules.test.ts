/** Who may pull what. Source: spec remoting 6.2. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GroupEntry } from '../../../../actors/group-snapshot.js';
import { SubscriptionRules } from '../../../../actors/pull-lane/subscription-rules.js';
import type { KnownTopic } from '../../../../actors/topic-snapshot.js';
import { topicEntry } from '../../../support/rooms.js';

const rules = suite('actors/pull-lane/subscription-rules');

const subject = new SubscriptionRules('broker-a');
const group: GroupEntry = {
  name: 'G',
  consumeEnable: true,
  consumeBroadcastEnable: true,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
};
const topic: KnownTopic = { ...topicEntry('T', 4, { readQueueNums: 3 }), nameBytes: new Uint8Array(1) };

interface Target {
  group?: GroupEntry | undefined;
  topic?: KnownTopic | undefined;
  queueId?: number;
  permission?: number;
}

function check(target: Target = {}): [code: number, remark: string] | undefined {
  const all = { group, topic, queueId: 0, permission: 6, ...target };
  const refusal = subject.checkTarget('G', all.group, all.topic, 'T', all.queueId, all.permission);
  return refusal && [refusal.code, refusal.remark];
}

rules('a queue of a readable topic may be read', () => {
  for (const queueId of [0, 1, 2]) assert.is(check({ queueId }), undefined);
  assert.is(check({ permission: 4 }), undefined);
});

rules('refuses in the order of RocketMQ', () => {
  const nothing: Target = { group: undefined, topic: undefined, queueId: -1, permission: 2 };
  const steps: [code: number, remark: RegExp, repaired: Target][] = [
    [16, /broker\[broker-a\] pulling message is forbidden/, { permission: 4 }],
    [26, /subscription group \[G\] does not exist/, { group: { ...group, consumeEnable: false } }],
    [16, /subscription group no permission, G/, { group }],
    [17, /topic\[T\] not exist/, { topic: { ...topic, perm: 2 } }],
    [16, /topic\[T\] pulling message is forbidden/, { topic }],
    [1, /queueId\[-1\] is illegal/, { queueId: 3 }],
    [1, /queueId\[3\] is illegal, topic:\[T\] topicConfig.readQueueNums:\[3\] consumer:\[G\]/, { queueId: 2 }],
  ];
  let target = nothing;
  for (const [code, remark, repaired] of steps) {
    const refusal = check(target);
    assert.is(refusal?.[0], code, refusal?.[1]);
    assert.match(refusal![1], remark);
    target = { ...target, ...repaired };
  }
  assert.is(check(target), undefined);
});

const subscription = { topic: 'T', subString: 'TagA', subVersion: 10, expressionType: 'TAG' };

function find(entry: GroupEntry, topicName = 'T', subVersion = 10): unknown {
  const found = subject.findSubscription(entry, topicName, subVersion);
  return 'code' in found ? found.code : found;
}

rules('the subscription of a heartbeat counts when the request has none', () => {
  const online = { ...group, members: { messageModel: 'CLUSTERING', subscriptions: [subscription] } };
  assert.is(find(online), subscription);
  assert.is(find(online, 'T', 9), subscription, 'the group knows a newer one');
  assert.is(find(online, 'T', 11), 25, 'the client knows a newer one');
  assert.is(find(online, 'Other'), 24);
  assert.is(find(group), 24, 'nobody is there');
});

rules('a group that may not broadcast', () => {
  const members = { messageModel: 'BROADCASTING', subscriptions: [subscription] };
  assert.is(find({ ...group, members }), subscription);
  assert.is(find({ ...group, consumeBroadcastEnable: false, members }), 16);
  assert.is(
    find({ ...group, consumeBroadcastEnable: false, members: { ...members, messageModel: 'CLUSTERING' } }),
    subscription,
  );
});

rules.run();
