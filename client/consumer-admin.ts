/**
 * Answers what administrators ask consumers, by way of a broker: how they are doing, to consume a message now, to
 * begin somewhere else. Source: spec remoting 4.3, 10.3; ClientRemotingProcessor, ConsumerRunningInfo.
 */
import { decodeBody, encodeBody, integerOf } from '../protocol/bodies/fields.js';
import type { SubscriptionData } from '../protocol/bodies/group.js';
import { messageQueueEntriesOf, messageQueueMap } from '../protocol/bodies/message-queue.js';
import { MQ_VERSION_NAME, RequestCode, ResponseCode } from '../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../protocol/command.js';
import { MiB } from '../runtime/base/units.js';
import type { ClientInstance } from './client-instance.js';
import type { ConsumerTools, ConsumeService } from './consume-service.js';
import { decodeMessages } from './message-ext.js';
import type { ProcessQueue } from './process-queue.js';
import { restoreTopic } from './pull-loop.js';
import type { Rebalancer } from './rebalance.js';
import { queueKey } from './route.js';

/** How long listeners of a queue may still run before its offset is set without them. Units: ms. */
const RESET_WAIT_MS = 10_000;

export interface ConsumerAdminOptions {
  readonly instance: ClientInstance;
  readonly tools: ConsumerTools;
  readonly service: ConsumeService;
  readonly rebalancer: Rebalancer;
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
  readonly startTimestamp: number;
}

/** Takes over the requests that brokers send to consumers. */
export function serveConsumerRequests(options: ConsumerAdminOptions): void {
  const { instance, tools, rebalancer } = options;
  instance.handle(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, () => {
    rebalancer.soon();
    return null;
  });
  instance.handle(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, request => {
    if (isOurs(options, request.extFields.group)) {
      resetOffsets(options, request).catch(error => tools.settings.onError(error, 'resetting offsets'));
    }
    return null;
  });
  instance.handle(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, request =>
    isOurs(options, request.extFields.group) ? consumerStatus(options, request) : notOurs(request),
  );
  instance.handle(RequestCode.GET_CONSUMER_RUNNING_INFO, request =>
    isOurs(options, request.extFields.consumerGroup) ? runningInfo(options, request) : notOurs(request),
  );
  instance.handle(RequestCode.CONSUME_MESSAGE_DIRECTLY, request =>
    isOurs(options, request.extFields.consumerGroup) ? consumeDirectly(options, request) : notOurs(request),
  );
}

function isOurs({ tools }: ConsumerAdminOptions, group: string | undefined): boolean {
  return group === tools.consumerGroup;
}

function notOurs(request: RemotingCommand): RemotingCommand {
  const { consumerGroup, group } = request.extFields;
  const remark = `The Consumer Group <${consumerGroup ?? group}> not exist in this consumer`;
  return createResponse(request, ResponseCode.SYSTEM_ERROR, remark);
}

/** The queues named in the request begin at the offsets given; what is consumed of them meanwhile does not count. */
async function resetOffsets({ tools, rebalancer }: ConsumerAdminOptions, request: RemotingCommand): Promise<void> {
  const fields = decodeBody(request.body, 'ResetOffsetBody');
  const entries = messageQueueEntriesOf(fields.offsetTable, value => integerOf(value));
  const offsets = new Map(entries.map(([queue, offset]) => [queueKey(queue), offset]));
  await rebalancer.exclusively(async () => {
    const queues = [...rebalancer.assigned].filter(
      ({ key, queue }) => queue.topic === request.extFields.topic && offsets.has(key),
    );
    for (const queue of queues) queue.drop();
    await Promise.all(queues.map(queue => queue.whenIdle(RESET_WAIT_MS)));
    for (const { key, queue } of queues) tools.offsets.update(queue, offsets.get(key)!, false);
    await rebalancer.release(queues, 0);
  });
}

function consumerStatus({ tools, rebalancer }: ConsumerAdminOptions, request: RemotingCommand): RemotingCommand {
  const entries = [...rebalancer.assigned]
    .filter(({ queue }) => queue.topic === request.extFields.topic)
    .map(({ queue, nextOffset }) => [queue, tools.offsets.read(queue) ?? nextOffset] as const);
  const body = encodeBody({ messageQueueTable: messageQueueMap(entries) });
  return createResponse(request, ResponseCode.SUCCESS, null, {}, body);
}

function runningInfo(options: ConsumerAdminOptions, request: RemotingCommand): RemotingCommand {
  const { rebalancer, subscriptions, tools } = options;
  const topics = [...subscriptions.keys()];
  const info = {
    properties: propertiesOf(options),
    subscriptionSet: [...subscriptions.values()],
    mqTable: messageQueueMap([...rebalancer.assigned].map(queue => [queue.queue, queueInfo(tools, queue)])),
    statusTable: Object.fromEntries(topics.map(topic => [topic, tools.stats.status(topic)])),
    jstack: request.extFields.jstackEnable === 'true' ? listenersOf(rebalancer) : undefined,
  };
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(info));
}

function propertiesOf({ instance, tools, service, startTimestamp }: ConsumerAdminOptions): Record<string, string> {
  const settings = Object.entries(tools.settings).flatMap(([name, value]) => {
    if (typeof value === 'function') return [];
    return [[name, value instanceof Date ? value.toISOString() : String(value)]];
  });
  return {
    ...Object.fromEntries(settings),
    consumerGroup: tools.consumerGroup,
    PROP_CONSUME_TYPE: 'CONSUME_PASSIVELY',
    PROP_CONSUMEORDERLY: String(service.order),
    PROP_CONSUMER_START_TIMESTAMP: String(startTimestamp),
    PROP_THREADPOOL_CORE_SIZE: String(tools.settings.consumeConcurrency),
    PROP_NAMESERVER_ADDR: `${instance.registry.addresses.join(';')};`,
    PROP_CLIENT_VERSION: MQ_VERSION_NAME,
  };
}

/** Names as Java spells them. Source: ProcessQueueInfo. */
function queueInfo(tools: ConsumerTools, queue: ProcessQueue): object {
  const [cachedMsgMinOffset, cachedMsgMaxOffset] = queue.bounds;
  const taken = queue.taken;
  return {
    commitOffset: tools.offsets.read(queue.queue) ?? queue.nextOffset,
    cachedMsgMinOffset,
    cachedMsgMaxOffset,
    cachedMsgCount: queue.count,
    cachedMsgSizeInMiB: Math.floor(queue.sizeBytes / MiB),
    transactionMsgMinOffset: taken[0]?.queueOffset ?? 0,
    transactionMsgMaxOffset: taken.at(-1)?.queueOffset ?? 0,
    transactionMsgCount: taken.length,
    locked: queue.isLocked,
    tryUnlockTimes: queue.tryUnlockTimes,
    lastLockTimestamp: queue.lastLockTimestamp,
    droped: queue.dropped,
    lastPullTimestamp: queue.lastPullTimestamp,
    lastConsumeTimestamp: queue.lastConsumeTimestamp,
  };
}

/** Node has no thread to dump; which listeners run, and since when, is what such a dump is read for. */
function listenersOf(rebalancer: Rebalancer): string {
  const lines = [...rebalancer.assigned].flatMap(queue =>
    queue.runningMessages.map(
      ([offset, startTimestamp]) =>
        `${queue.key} offset ${offset}: a listener runs for ${Date.now() - startTimestamp} ms`,
    ),
  );
  return `Node.js ${process.version}, process ${process.pid}\n${lines.join('\n')}\n`;
}

async function consumeDirectly(options: ConsumerAdminOptions, request: RemotingCommand): Promise<RemotingCommand> {
  const stored = decodeMessages(request.body ?? new Uint8Array(0))[0];
  if (stored === undefined) return createResponse(request, ResponseCode.SYSTEM_ERROR, 'there is no message to consume');
  const message = restoreTopic(stored, options.tools.consumerGroup);
  const brokerName = request.extFields.brokerName ?? '';
  const { topic, queueId } = message;
  const result = await options.service.consumeDirectly(message, { topic, brokerName, queueId });
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(result));
}
