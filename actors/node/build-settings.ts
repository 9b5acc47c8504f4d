/** What actors are made from, out of the configuration: plain data that crosses threads. */
import { totalmem } from 'node:os';
import { type BrokerConfig, type NamesrvConfig, parseDelayLevels } from '../../config/index.js';
import { parseIpv4 } from '../../protocol/message-id.js';
import type { StorePaths } from '../../storage/paths.js';
import type { QueueFlusherConfig } from '../dispatcher/queue-flusher.js';
import type { LogFlushSettings } from '../flush-service/actor.js';
import type { Forwarding } from '../forwarder/mailbox.js';
import type { HaReceiverSettings } from '../ha-receiver/actor.js';
import type { HaSenderSettings } from '../ha-sender/actor.js';
import type { PullLaneSettings } from '../pull-lane/mailbox.js';
import type { ListenerKind } from '../remoting/routes.js';
import type { SendContext } from '../send-lane/behaviour.js';
import type { LaneSettings } from '../send-lane/mailbox.js';
import type { TelemetrySettings } from '../telemetry/mailbox.js';
import type { TransactionCheckerSettings } from '../transaction-checker/mailbox.js';
import {
  logFlushSettings,
  pullLaneSettings,
  queueFlushSettings,
  sendLaneSettings,
  transactionCheckerSettings,
} from './settings.js';

/** Remoting's part: every process has one. */
export interface RemotingSettings {
  readonly listeners: readonly ListenerKind[];
  readonly connectionsMax: number;
  readonly maxInflight: number;
  /** Units: ms. */
  readonly idleMaxMs: number;
  readonly syncFlushTimeoutMs: number;
  readonly slaveTimeoutMs: number;
  /** Units: bytes. */
  readonly haSlaveFallbehindMax: number;
  readonly backlog: number;
  /** Units: bytes. */
  readonly outboundBytesMax: number;
  /** Units: ms since the epoch; 0 on a broker that has not just been the master. */
  readonly passesOnUntilMs: number;
}

/** A broker's part. */
export interface BrokerSettings {
  readonly context: SendContext;
  readonly sendLane: LaneSettings;
  readonly pullLane: PullLaneSettings;
  readonly transactionChecker: TransactionCheckerSettings;
  readonly paths: StorePaths;
  /** Units: bytes. */
  readonly mappedFileSizeCommitLog: number;
  readonly mappedFileSizeConsumeQueue: number;
  readonly flush: LogFlushSettings;
  readonly flushQueues: QueueFlusherConfig;
  /** Delays of levels 1, 2, ... Units: ms. */
  readonly delayLevelsMs: readonly number[];
  readonly index: {
    readonly messageIndexEnable: boolean;
    readonly maxHashSlotNum: number;
    readonly maxIndexNum: number;
  };
  readonly ha: HaSenderSettings & HaReceiverSettings;
  /** Where there is a telemetry room. */
  readonly telemetry?: TelemetrySettings;
  /** Next offset of each queue, by queue number. */
  readonly queueOffsets: Float64Array;
  /** Of a broker that has just been the master. */
  readonly forwarding?: Forwarding;
}

export function remotingSettings(
  config: BrokerConfig | NamesrvConfig,
  listeners: readonly ListenerKind[],
  forwarding?: Forwarding,
): RemotingSettings {
  return {
    listeners,
    connectionsMax: config.connectionsMax,
    maxInflight: config.maxInflight,
    idleMaxMs: config.serverChannelMaxIdleTimeSeconds * 1000,
    syncFlushTimeoutMs: 'syncFlushTimeout' in config ? config.syncFlushTimeout : Number.MAX_SAFE_INTEGER,
    slaveTimeoutMs: 'slaveTimeout' in config ? config.slaveTimeout : Number.MAX_SAFE_INTEGER,
    haSlaveFallbehindMax: 'haSlaveFallbehindMax' in config ? config.haSlaveFallbehindMax : 0,
    backlog: config.serverSocketBacklog,
    outboundBytesMax: config.connectionOutboundBytesMax,
    passesOnUntilMs: forwarding?.untilMs ?? 0,
  };
}

/** `advertisedAddress`: IPv4, part of every message id. `lastRecordOffset`: start of the log's last record, or -1. */
export function brokerSettings(
  config: BrokerConfig,
  paths: StorePaths,
  queueOffsets: Float64Array,
  advertisedAddress: string,
  lastRecordOffset = -1,
  forwarding?: Forwarding,
): BrokerSettings {
  return {
    context: {
      brokerName: config.brokerName,
      brokerClusterName: config.brokerClusterName,
      regionId: config.regionId,
      traceOn: config.traceOn,
      storeAddress: parseIpv4(advertisedAddress),
      storePort: config.listenPort,
      syncFlush: config.flushDiskType === 'SYNC_FLUSH',
      syncReplica: config.brokerRole === 'SYNC_MASTER',
      delayLevels: parseDelayLevels(config.messageDelayLevel).length,
    },
    sendLane: sendLaneSettings(config),
    pullLane: pullLaneSettings(config, totalmem()),
    transactionChecker: transactionCheckerSettings(config),
    paths,
    mappedFileSizeCommitLog: config.mappedFileSizeCommitLog,
    mappedFileSizeConsumeQueue: config.mappedFileSizeConsumeQueue,
    flush: logFlushSettings(config),
    flushQueues: queueFlushSettings(config),
    delayLevelsMs: parseDelayLevels(config.messageDelayLevel),
    index: {
      messageIndexEnable: config.messageIndexEnable,
      maxHashSlotNum: config.maxHashSlotNum,
      maxIndexNum: config.maxIndexNum,
    },
    ha: {
      haSendHeartbeatInterval: config.haSendHeartbeatInterval,
      haHousekeepingInterval: config.haHousekeepingInterval,
      haTransferBatchSize: config.haTransferBatchSize,
      haMasterAddress: config.haMasterAddress,
      lastRecordOffset,
    },
    ...(config.otlpEndpoint === '' ? {} : { telemetry: telemetrySettings(config) }),
    queueOffsets,
    ...(forwarding === undefined ? {} : { forwarding }),
  };
}

function telemetrySettings(config: BrokerConfig): TelemetrySettings {
  return {
    otlpEndpoint: config.otlpEndpoint,
    otlpSampleRatio: config.otlpSampleRatio,
    brokerClusterName: config.brokerClusterName,
    brokerName: config.brokerName,
    brokerId: config.brokerId,
  };
}
