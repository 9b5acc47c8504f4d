/**
 * Keeps one queue pulled: asks for messages again and again, hands them on, and holds back while too many wait.
 * Source: spec remoting 6; DefaultMQPushConsumerImpl.pullMessage.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SubscriptionData } from '../protocol/bodies/group.js';
import { ResponseCode } from '../protocol/codes.js';
import { RETRY_TOPIC_PREFIX } from '../protocol/topic-names.js';
import { MiB } from '../runtime/base/units.js';
import type { ConsumerTools, ConsumeService } from './consume-service.js';
import { MQBrokerError } from './errors.js';
import { MessageProperty } from './message.js';
import type { MessageExt } from './message-ext.js';
import type { ProcessQueue } from './process-queue.js';
import type { PullResult } from './pull-result.js';
import type { QueueClient } from './queue-client.js';

/** Source: DefaultMQPushConsumerImpl. Units: ms. */
const FULL_PAUSE_MS = 50;
const SUSPENDED_PAUSE_MS = 200;
const FLOW_CONTROL_PAUSE_MS = 20;

/** Failures that end by themselves when the next heartbeat arrives are reported only if they go on. */
const passingCodes: ReadonlySet<number> = new Set([
  ResponseCode.SUBSCRIPTION_NOT_EXIST,
  ResponseCode.SUBSCRIPTION_NOT_LATEST,
]);
const PASSING_FAILURES_MAX = 5;

export interface PullLoopOptions {
  readonly tools: ConsumerTools;
  readonly client: QueueClient;
  readonly service: ConsumeService;
  readonly subscriptionOf: (topic: string) => SubscriptionData | undefined;
  readonly isSuspended: () => boolean;
  readonly assignedCount: () => number;
  /** The queue does not reach where the group stands; it has to be assigned anew, from `offset` on. */
  readonly onIllegalOffset: (queue: ProcessQueue, offset: number) => void;
}

/** Runs until the queue is retired. */
export async function runPullLoop(options: PullLoopOptions, queue: ProcessQueue): Promise<void> {
  let failures = 0;
  while (!queue.retired) {
    const pauseMs = pauseBeforePull(options, queue);
    if (pauseMs > 0) {
      await pause(pauseMs, queue.signal);
      continue;
    }
    try {
      const { pullIntervalMs } = options.tools.settings;
      const result = await pullOnce(options, queue);
      failures = 0;
      if (!queue.retired && accept(options, queue, result) && pullIntervalMs > 0) {
        await pause(pullIntervalMs, queue.signal);
      }
    } catch (error) {
      if (queue.retired) return;
      await pause(pauseAfterFailure(options, queue, error, ++failures), queue.signal);
    }
  }
}

/** How long nothing is to be pulled; 0 for not at all. Units: ms. */
function pauseBeforePull({ tools, service, isSuspended, assignedCount }: PullLoopOptions, queue: ProcessQueue): number {
  const { settings } = tools;
  if (isSuspended()) return SUSPENDED_PAUSE_MS;
  const ofTopic = (threshold: number): number | undefined =>
    threshold === -1 ? undefined : Math.max(1, Math.floor(threshold / Math.max(1, assignedCount())));
  const countMax = ofTopic(settings.pullThresholdForTopic) ?? settings.pullThresholdForQueue;
  const sizeMax = ofTopic(settings.pullThresholdSizeForTopicMiB) ?? settings.pullThresholdSizeForQueueMiB;
  if (queue.count > countMax || queue.sizeBytes > sizeMax * MiB) return FULL_PAUSE_MS;
  if (!service.order) return queue.span > settings.consumeConcurrentlyMaxSpan ? FULL_PAUSE_MS : 0;
  const needsLock = settings.messageModel === 'CLUSTERING';
  return needsLock && !queue.isLocked ? settings.pullTimeDelayWhenExceptionMs : 0;
}

async function pullOnce(options: PullLoopOptions, queue: ProcessQueue): Promise<PullResult> {
  const { tools, client, subscriptionOf } = options;
  const { settings } = tools;
  const subscription = subscriptionOf(queue.queue.topic);
  if (subscription === undefined) throw new Error(`topic ${queue.queue.topic} is not subscribed to`);
  const { expressionType, subString, subVersion, tagsSet } = subscription;
  const reached = settings.messageModel === 'CLUSTERING' ? tools.offsets.read(queue.queue) : undefined;
  const startMs = performance.now();
  queue.lastPullTimestamp = Date.now();
  const result = await client.pull(queue.queue, {
    offset: queue.nextOffset,
    maxNums: settings.pullBatchSize,
    suspendMs: settings.brokerSuspendMaxTimeMs,
    timeoutMs: settings.consumerTimeoutWhenSuspendMs,
    expressionType,
    subscription: settings.postSubscriptionWhenPull ? subString : undefined,
    subVersion,
    tags: expressionType === 'TAG' && tagsSet.length > 0 ? new Set(tagsSet) : undefined,
    commitOffset: reached === undefined || reached === 0 ? undefined : reached,
  });
  if (result.pullStatus === 'FOUND') {
    tools.stats.onPull(queue.queue.topic, result.messages.length, performance.now() - startMs);
  }
  return result;
}

/** Returns whether there were messages. */
function accept(options: PullLoopOptions, queue: ProcessQueue, result: PullResult): boolean {
  if (result.pullStatus === 'OFFSET_ILLEGAL') {
    options.onIllegalOffset(queue, result.nextBeginOffset);
    return false;
  }
  queue.nextOffset = result.nextBeginOffset;
  if (result.messages.length === 0) {
    // Nothing of what was passed over is wanted: the group need not see it again.
    if (queue.count === 0) options.tools.offsets.update(queue.queue, queue.nextOffset, true);
    return false;
  }
  const messages = result.messages.map(message => restoreTopic(message, options.tools.consumerGroup));
  queue.put(messages);
  options.service.submit(queue, messages);
  return true;
}

/** A message that is tried again is shown under the topic it was sent to. */
export function restoreTopic(message: MessageExt, consumerGroup: string): MessageExt {
  const topic = message.properties[MessageProperty.RETRY_TOPIC];
  const isRetry = message.topic === `${RETRY_TOPIC_PREFIX}${consumerGroup}`;
  return topic !== undefined && isRetry ? message.with({ topic }) : message;
}

function pauseAfterFailure(options: PullLoopOptions, queue: ProcessQueue, error: unknown, failures: number): number {
  const { onError, pullTimeDelayWhenExceptionMs } = options.tools.settings;
  const code = error instanceof MQBrokerError ? error.responseCode : undefined;
  if (code === ResponseCode.FLOW_CONTROL) return FLOW_CONTROL_PAUSE_MS;
  const reportAt = code !== undefined && passingCodes.has(code) ? PASSING_FAILURES_MAX : 1;
  if (failures === reportAt) onError(error, `pulling ${queue.key}`);
  return pullTimeDelayWhenExceptionMs;
}

async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined); // the signal ends it early
}
