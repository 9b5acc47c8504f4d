/** The part of the configuration that each room uses, as plain data: it travels as news when it changes. */
import type { BrokerConfig } from '../../config/index.js';
import type { CoordinatorSettings } from '../coordinator/state.js';
import type { QueueFlusherConfig } from '../dispatcher/queue-flusher.js';
import type { LogFlushSettings } from '../flush-service/actor.js';
import type { PullLaneSettings } from '../pull-lane/mailbox.js';
import type { SchedulerSettings } from '../scheduler/mailbox.js';
import type { LaneSettings } from '../send-lane/mailbox.js';
import type { TransactionCheckerSettings } from '../transaction-checker/mailbox.js';

/**
 * What the broker does of its own accord (delayed delivery, asking for transactions) is a master's work: rooms that do
 * it take `!isSlave(config)` into their settings.
 */
export function isSlave(config: Pick<BrokerConfig, 'brokerRole'>): boolean {
  return config.brokerRole === 'SLAVE';
}

export function sendLaneSettings(config: BrokerConfig): LaneSettings {
  return {
    maxMessageSize: config.maxMessageSize,
    waitTimeMillsInSendQueue: config.brokerFastFailureEnable
      ? config.waitTimeMillsInSendQueue
      : Number.MAX_SAFE_INTEGER,
    brokerPermission: config.brokerPermission,
    rejectTransactionMessage: config.rejectTransactionMessage,
    startAcceptSendRequestTimeStamp: config.startAcceptSendRequestTimeStamp,
  };
}

export function pullLaneSettings(config: BrokerConfig, memoryBytes: number): PullLaneSettings {
  return {
    brokerPermission: config.brokerPermission,
    offsetCheckInSlave: config.offsetCheckInSlave,
    longPollingEnable: config.longPollingEnable,
    slaveReadEnable: config.slaveReadEnable,
    shortPollingTimeMills: config.shortPollingTimeMills,
    maxTransferBytesOnMessageInMemory: config.maxTransferBytesOnMessageInMemory,
    maxTransferCountOnMessageInMemory: config.maxTransferCountOnMessageInMemory,
    maxTransferBytesOnMessageInDisk: config.maxTransferBytesOnMessageInDisk,
    maxTransferCountOnMessageInDisk: config.maxTransferCountOnMessageInDisk,
    inMemoryBytes: inMemoryBytes(config, memoryBytes),
    holdsMax: config.pullThreadPoolQueueCapacity,
    maxMsgsNumBatch: config.maxMsgsNumBatch,
    defaultQueryMaxNum: config.defaultQueryMaxNum,
    enablePropertyFilter: config.enablePropertyFilter,
    filterSupportRetry: config.filterSupportRetry,
    waitTimeMillsInPullQueue: config.brokerFastFailureEnable
      ? config.waitTimeMillsInPullQueue
      : Number.MAX_SAFE_INTEGER,
  };
}

export function coordinatorSettings(config: BrokerConfig, memoryBytes: number): CoordinatorSettings {
  return {
    autoCreateTopicEnable: config.autoCreateTopicEnable,
    autoCreateSubscriptionGroup: config.autoCreateSubscriptionGroup,
    notifyConsumerIdsChangedEnable: config.notifyConsumerIdsChangedEnable,
    autoDeleteUnusedStats: config.autoDeleteUnusedStats,
    flushConsumerOffsetInterval: config.flushConsumerOffsetInterval,
    storeReplyMessageEnable: config.storeReplyMessageEnable,
    enablePropertyFilter: config.enablePropertyFilter,
    filterDataCleanTimeSpan: config.filterDataCleanTimeSpan,
    inMemoryBytes: inMemoryBytes(config, memoryBytes),
  };
}

export function transactionCheckerSettings(config: BrokerConfig): TransactionCheckerSettings {
  return {
    check: config.checkTransactionMessageEnable && !isSlave(config),
    transactionTimeOut: config.transactionTimeOut,
    transactionCheckMax: config.transactionCheckMax,
    transactionCheckInterval: config.transactionCheckInterval,
    fileReservedTime: config.fileReservedTime,
  };
}

/** Flush keys of the log, for ASYNC_FLUSH. */
export function logFlushSettings(config: BrokerConfig): LogFlushSettings {
  return {
    flushIntervalCommitLog: config.flushIntervalCommitLog,
    flushCommitLogTimed: config.flushCommitLogTimed,
    flushCommitLogLeastPages: config.flushCommitLogLeastPages,
    flushCommitLogThoroughInterval: config.flushCommitLogThoroughInterval,
  };
}

/** Flush keys of consume queues. */
export function queueFlushSettings(config: BrokerConfig): QueueFlusherConfig {
  return {
    flushIntervalConsumeQueue: config.flushIntervalConsumeQueue,
    flushConsumeQueueLeastPages: config.flushConsumeQueueLeastPages,
    flushConsumeQueueThoroughInterval: config.flushConsumeQueueThoroughInterval,
  };
}

export function schedulerSettings(config: BrokerConfig): SchedulerSettings {
  return {
    deliver: !isSlave(config),
    flushDelayOffsetInterval: config.flushDelayOffsetInterval,
    scheduleAsyncDeliverMaxPendingLimit: config.scheduleAsyncDeliverMaxPendingLimit,
  };
}

/** Bytes behind the end of the log that count as cached. Source: spec storage 13. */
function inMemoryBytes(config: BrokerConfig, memoryBytes: number): number {
  return Math.floor((memoryBytes * config.accessMessageInMemoryMaxRatio) / 100);
}
