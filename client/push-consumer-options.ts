/** How a push consumer behaves. Source: spec scheduling 2, 4, remoting 6.1, 7; DefaultMQPushConsumer. */
import os from 'node:os';
import path from 'node:path';
import { messageModels } from '../protocol/bodies/group.js';
import { type AllocateMessageQueueStrategy, allocateMessageQueueAveragely } from './allocate-strategy.js';
import type { ClientOptions } from './client-instance.js';
import { type ErrorReporter, reporterOf } from './error-reporter.js';
import { MQClientError } from './errors.js';
import { TRACE_TOPIC } from './trace-dispatcher.js';

/** CLUSTERING: each message goes to one member of the group. BROADCASTING: to every member, and never twice. */
export type MessageModel = (typeof messageModels)[number];

const startPlaces = ['CONSUME_FROM_LAST_OFFSET', 'CONSUME_FROM_FIRST_OFFSET', 'CONSUME_FROM_TIMESTAMP'] as const;
/** Where a group begins that has no offset yet. */
export type ConsumeFromWhere = (typeof startPlaces)[number];

/** Settings with their defaults. Units: ms, unless the name says otherwise. */
export interface PushConsumerSettings {
  /** Default CLUSTERING. */
  readonly messageModel: MessageModel;
  /** Default CONSUME_FROM_LAST_OFFSET; brokers answer 0 for a young queue all the same (spec 7.4). */
  readonly consumeFromWhere: ConsumeFromWhere;
  /** For CONSUME_FROM_TIMESTAMP. Default half an hour before the start. */
  readonly consumeTimestamp: Date;
  readonly allocateMessageQueueStrategy: AllocateMessageQueueStrategy;
  /** Listeners that may run at a time; in Java the threads of the pool. Default 20. */
  readonly consumeConcurrency: number;
  /** Messages a listener gets at most. Default 1. */
  readonly consumeMessageBatchMaxSize: number;
  /** Messages a pull asks for. Default 32. */
  readonly pullBatchSize: number;
  /** Pause between the pulls of a queue. Default 0. */
  readonly pullIntervalMs: number;
  /** A queue with more messages not consumed is not pulled. Default 1000. */
  readonly pullThresholdForQueue: number;
  /** A queue with more of them is not pulled. Units: MiB. Default 100. */
  readonly pullThresholdSizeForQueueMiB: number;
  /** As pullThresholdForQueue, divided among the queues a member has; -1 for none. Default -1. */
  readonly pullThresholdForTopic: number;
  /** As pullThresholdSizeForQueueMiB, divided among the queues a member has; -1 for none. Default -1. */
  readonly pullThresholdSizeForTopicMiB: number;
  /** A queue whose oldest and newest message are further apart is not pulled. Not for ordered ones. Default 2000. */
  readonly consumeConcurrentlyMaxSpan: number;
  /** -1: 16 times, and without limit for ordered consumption. Default -1. */
  readonly maxReconsumeTimes: number;
  /** Pause of a queue whose ordered listener did not succeed; 10 to 30000. Default 1000. */
  readonly suspendCurrentQueueTimeMs: number;
  /** A message whose concurrent listener takes longer is sent back. Default 15 minutes. */
  readonly consumeTimeoutMs: number;
  /** Default 5000. */
  readonly persistConsumerOffsetIntervalMs: number;
  /** Default 20000. */
  readonly rebalanceIntervalMs: number;
  /** How long a broker may hold a pull. Default 15000. */
  readonly brokerSuspendMaxTimeMs: number;
  /** How long an answer to it may take. Default 30000. */
  readonly consumerTimeoutWhenSuspendMs: number;
  /** Pause of a queue after a pull that failed. Default 1000. */
  readonly pullTimeDelayWhenExceptionMs: number;
  /** Sends the expression with each pull, for brokers that lost the heartbeat's. Default false. */
  readonly postSubscriptionWhenPull: boolean;
  /** How long a shutdown waits for listeners that run. Default 30000. */
  readonly awaitTerminationWhenShutdownMs: number;
  /** Where offsets of broadcasts are kept. Default `.rocketmq_offsets` in the home directory. */
  readonly localOffsetStoreDir: string;
  /** Tells the trace topic of every message consumed; `mqadmin queryMsgTraceById` reads it. Default false. */
  readonly enableTrace: boolean;
  /** Default RMQ_SYS_TRACE_TOPIC. */
  readonly traceTopic: string;
  /** Told of failures that no call waits for. Default a warning of the process. */
  readonly onError: ErrorReporter;
}

export type PushConsumerOptions = ClientOptions & { readonly consumerGroup: string } & {
  readonly [Name in keyof PushConsumerSettings]?: PushConsumerSettings[Name] | undefined;
};

const defaults: Omit<PushConsumerSettings, 'consumeTimestamp' | 'localOffsetStoreDir' | 'onError'> = {
  messageModel: 'CLUSTERING',
  consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
  allocateMessageQueueStrategy: allocateMessageQueueAveragely,
  consumeConcurrency: 20,
  consumeMessageBatchMaxSize: 1,
  pullBatchSize: 32,
  pullIntervalMs: 0,
  pullThresholdForQueue: 1000,
  pullThresholdSizeForQueueMiB: 100,
  pullThresholdForTopic: -1,
  pullThresholdSizeForTopicMiB: -1,
  consumeConcurrentlyMaxSpan: 2000,
  maxReconsumeTimes: -1,
  suspendCurrentQueueTimeMs: 1000,
  consumeTimeoutMs: 15 * 60_000,
  persistConsumerOffsetIntervalMs: 5000,
  rebalanceIntervalMs: 20_000,
  brokerSuspendMaxTimeMs: 15_000,
  consumerTimeoutWhenSuspendMs: 30_000,
  pullTimeDelayWhenExceptionMs: 1000,
  postSubscriptionWhenPull: false,
  awaitTerminationWhenShutdownMs: 30_000,
  enableTrace: false,
  traceTopic: TRACE_TOPIC,
};

type NumberSetting = {
  [Name in keyof PushConsumerSettings]: PushConsumerSettings[Name] extends number ? Name : never;
}[keyof PushConsumerSettings];

/** Least and greatest value. Source: DefaultMQPushConsumerImpl.checkConfig. */
const ranges: Readonly<Record<NumberSetting, readonly [number, number]>> = {
  consumeConcurrency: [1, 1000],
  consumeMessageBatchMaxSize: [1, 1024],
  pullBatchSize: [1, 1024],
  pullIntervalMs: [0, 65_535],
  pullThresholdForQueue: [1, 65_535],
  pullThresholdSizeForQueueMiB: [1, 1024],
  pullThresholdForTopic: [-1, 6_553_500],
  pullThresholdSizeForTopicMiB: [-1, 102_400],
  consumeConcurrentlyMaxSpan: [1, 65_535],
  maxReconsumeTimes: [-1, 2 ** 31 - 1],
  suspendCurrentQueueTimeMs: [10, 30_000],
  consumeTimeoutMs: [1, 2 ** 31 - 1],
  persistConsumerOffsetIntervalMs: [1, 2 ** 31 - 1],
  rebalanceIntervalMs: [1, 2 ** 31 - 1],
  brokerSuspendMaxTimeMs: [1, 2 ** 31 - 1],
  consumerTimeoutWhenSuspendMs: [1, 2 ** 31 - 1],
  pullTimeDelayWhenExceptionMs: [1, 2 ** 31 - 1],
  awaitTerminationWhenShutdownMs: [0, 2 ** 31 - 1],
};

const HALF_AN_HOUR_MS = 30 * 60_000;

/** Errors: MQClientError INVALID_ARGUMENT. */
export function settingsOf(options: PushConsumerOptions): PushConsumerSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: PushConsumerSettings = {
    consumeTimestamp: new Date(Date.now() - HALF_AN_HOUR_MS),
    localOffsetStoreDir: path.join(os.homedir(), '.rocketmq_offsets'),
    ...defaults,
    ...given,
    onError: reporterOf(options.onError),
  };
  for (const [name, [least, greatest]] of Object.entries(ranges)) {
    const value = settings[name as NumberSetting];
    if (!Number.isInteger(value) || value < least || value > greatest) {
      throw new MQClientError('INVALID_ARGUMENT', `${name} is ${value}: expected an integer ${least} to ${greatest}`);
    }
  }
  if (!messageModels.includes(settings.messageModel)) throw notOneOf('messageModel', messageModels);
  if (!startPlaces.includes(settings.consumeFromWhere)) throw notOneOf('consumeFromWhere', startPlaces);
  return settings;
}

function notOneOf(name: string, values: readonly string[]): MQClientError {
  return new MQClientError('INVALID_ARGUMENT', `${name} has to be one of ${values.join(', ')}`);
}
