/**
 * Requests that concern the whole broker: its configuration and its runtime information.
 * Source: spec remoting 4.2.2, 10.4, properties 12.1; AdminBrokerProcessor.
 */
import { type BrokerConfig, formatIssue, type LoadedConfig, persistedText, updateConfig } from '../../config/index.js';
import { encodeBody } from '../../protocol/bodies.js';
import { MQ_VERSION, MQ_VERSION_NAME, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { messageOf } from '../../runtime/base/errors.js';
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Disk } from '../../storage/disk.js';
import type { StorePaths } from '../../storage/paths.js';
import { usedRatio } from '../../storage/retention.js';
import { elapsedMs, InboundFrame } from '../inbound.js';
import { answerReportRequest } from './broker-report.js';
import type { Workshop } from './memory.js';
import type { RateSampler } from './rates.js';
import { type Replication, replicationRows } from './replication-facts.js';
import { answerTraceRequest } from './trace-requests.js';

export interface NodeRequestOptions {
  readonly disk: Disk;
  readonly paths: StorePaths;
  readonly shop: Workshop;
  readonly rates: RateSampler;
  readonly log: Logger;
  readonly startedMs: number;
  /** Where runtime changes are stored; undefined when the node was not started from a file. */
  readonly configFile: string | undefined;
  config(): LoadedConfig<BrokerConfig>;
  replication(): Replication;
  /** Store time of the oldest message, -1 when there is none. Units: ms since the epoch. */
  earliestStoreTime(): number;
  /** Has expired files of the log deleted now, whatever deleteWhen says. */
  deleteExpiredLog(): void;
  /** Keys that say how far delayed messages are delivered. */
  delayProgress(): Record<string, string>;
  /** Takes a changed configuration over: tells the rooms about keys that change at run time. */
  apply(loaded: LoadedConfig<BrokerConfig>, changed: readonly string[]): void;
}

/** What Java says where there is no pool of buffers. */
const INT_MAX = 2_147_483_647;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class NodeRequests {
  readonly #options: NodeRequestOptions;
  #configVersion = { counter: 0, timestamp: 0 };

  constructor(options: NodeRequestOptions) {
    this.#options = options;
  }

  readonly answer = (request: RemotingCommand): RemotingCommand | undefined => {
    switch (request.code) {
      case RequestCode.GET_BROKER_CONFIG: {
        const version = JSON.stringify(this.#configVersion);
        const body = encoder.encode(this.#options.config().text());
        return createResponse(request, ResponseCode.SUCCESS, null, { version }, body);
      }
      case RequestCode.UPDATE_BROKER_CONFIG:
        return this.#update(request);
      case RequestCode.GET_BROKER_RUNTIME_INFO:
        return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody({ table: this.runtimeInfo() }));
      case RequestCode.DELETE_EXPIRED_COMMITLOG:
        this.#options.deleteExpiredLog();
        return createResponse(request, ResponseCode.SUCCESS);
      default:
        return answerTraceRequest(request, this.#options.shop) ?? this.#report(request);
    }
  };

  #report(request: RemotingCommand): RemotingCommand | undefined {
    return answerReportRequest(request, this.#options.shop, this.#options.config().config);
  }

  #update(request: RemotingCommand): RemotingCommand {
    const { disk, configFile, log } = this.#options;
    const text = decoder.decode(request.body ?? new Uint8Array(0));
    const result = updateConfig(this.#options.config(), text);
    if (!result.ok) {
      if ('forbidden' in result) {
        const remark = `Can not update config in black list. ${result.forbidden}`;
        return createResponse(request, ResponseCode.NO_PERMISSION, remark);
      }
      return createResponse(request, ResponseCode.SYSTEM_ERROR, result.issues.map(formatIssue).join('\n'));
    }
    if (configFile !== undefined) {
      try {
        const temporary = `${configFile}.tmp`;
        disk.writeText(temporary, persistedText(result.loaded));
        disk.rename(temporary, configFile);
      } catch (error) {
        return createResponse(
          request,
          ResponseCode.SYSTEM_ERROR,
          `the configuration cannot be stored: ${messageOf(error)}`,
        );
      }
    }
    this.#configVersion = { counter: this.#configVersion.counter + 1, timestamp: Date.now() };
    const hot = result.changed.filter(key => !result.notHot.includes(key));
    log.info({ changed: result.changed, afterRestart: result.notHot }, 'the configuration was changed by a request');
    this.#options.apply(result.loaded, hot);
    const remarks = this.#remarksOnLanes(result.changed, result.config);
    if (result.notHot.length > 0) remarks.push(`stored, and in effect after a restart: ${result.notHot.join(', ')}`);
    return createResponse(request, ResponseCode.SUCCESS, remarks.length === 0 ? null : remarks.join('; '));
  }

  /** Lanes that were asked for and cannot be. */
  #remarksOnLanes(changed: readonly string[], config: BrokerConfig): string[] {
    const { shop } = this.#options;
    const { threadingMode } = shop.memory;
    const lanesMax = shop.namesOf('send-lane').length;
    return (['sendMessageThreadPoolNums', 'pullMessageThreadPoolNums'] as const)
      .filter(key => changed.includes(key) && config[key] > lanesMax)
      .map(key =>
        threadingMode === 'dedicated'
          ? `${key} is stored; there are at most ${lanesMax} lanes of a kind (key lanesMax, after a restart)`
          : `${key} is stored; with threadingMode ${threadingMode} there is one lane of each kind`,
      );
  }

  /** Keys of code 28, as tools and dashboards expect them. */
  runtimeInfo(): Record<string, string> {
    const { shop, disk, paths, startedMs, rates } = this.#options;
    const { positions } = shop;
    const config = this.#options.config().config;
    const space = disk.space(paths.commitLog);
    const appended = positions.read('appended');
    const writer = shop.counters('commit-log-writer');
    const pulled = rates.total('messagesPulled');
    const messages = writer.read('messagesAppended');
    const transferred = rates.triple('messagesPulled');
    const sends = this.#queueOf('send-lane');
    const pulls = this.#queueOf('pull-lane');
    const table: Record<string, string | number> = {
      brokerVersionDesc: MQ_VERSION_NAME,
      brokerVersion: MQ_VERSION,
      bootTimestamp: startedMs,
      runtime: formatRuntime(Date.now() - startedMs),
      putTps: rates.triple('messagesAppended'),
      getTransferedTps: transferred,
      getTransferredTps: transferred,
      getFoundTps: rates.triple('pullsFound'),
      getMissTps: rates.triple('pullsMissed'),
      getTotalTps: rates.tripleOf(['pullsFound', 'pullsMissed']),
      putMessageTimesTotal: messages,
      putMessageFailedTimes: writer.read('appendFailures'),
      putMessageSizeTotal: writer.read('bytesAppended'),
      putMessageAverageSize: messages === 0 ? 0 : writer.read('bytesAppended') / messages,
      dispatchBehindBytes: appended - positions.read('dispatched'),
      commitLogMinOffset: positions.read('minimum'),
      commitLogMaxOffset: appended,
      earliestMessageTimeStamp: this.#options.earliestStoreTime(),
      remainHowManyDataToFlush: formatBytes(appended - positions.read('flushed')),
      commitLogDiskRatio: usedRatio(space),
      [`commitLogDiskRatio_${paths.commitLog}`]: usedRatio(space),
      consumeQueueDiskRatio: usedRatio(disk.space(paths.consumeQueue)),
      commitLogDirCapacity: `Total : ${gib(space.totalBytes)}, Free : ${gib(space.usableBytes)}.`,
      dispatchMaxBuffer: rates.backlogMax,
      putMessageDistributeTime: rates.putLatencies.distribution(),
      putMessageEntireTimeMax: shop.putLatencies.longestMs,
      putLatency99: rates.putLatencies.percentileMs(0.99).toFixed(2),
      putLatency999: rates.putLatencies.percentileMs(0.999).toFixed(2),
      getMessageEntireTimeMax: Math.ceil(
        Math.max(...shop.namesOf('pull-lane').map(lane => shop.getLatencies(lane).longestMs)),
      ),
      sendThreadPoolQueueSize: sends.bytes,
      sendThreadPoolQueueCapacity: config.sendThreadPoolQueueCapacity,
      sendThreadPoolQueueHeadWaitTimeMills: sends.headWaitMs,
      pullThreadPoolQueueSize: pulls.bytes,
      pullThreadPoolQueueCapacity: config.pullThreadPoolQueueCapacity,
      pullThreadPoolQueueHeadWaitTimeMills: pulls.headWaitMs,
      // Ends of transactions wait in the same rings as sends, queries in those of pulls.
      EndTransactionQueueSize: sends.bytes,
      EndTransactionThreadPoolQueueCapacity: config.endTransactionPoolQueueCapacity,
      queryThreadPoolQueueSize: pulls.bytes,
      queryThreadPoolQueueCapacity: config.queryThreadPoolQueueCapacity,
      queryThreadPoolQueueHeadWaitTimeMills: pulls.headWaitMs,
      // One writer: there is no lock that anybody could hold for long, and no pool of buffers to run out of.
      pageCacheLockTimeMills: 0,
      remainTransientStoreBufferNumbs: INT_MAX,
      startAcceptSendRequestTimeStamp: config.startAcceptSendRequestTimeStamp,
      msgPutTotalYesterdayMorning: rates.mornings('messagesAppended').yesterday,
      msgPutTotalTodayMorning: rates.mornings('messagesAppended').today,
      msgPutTotalTodayNow: messages,
      msgGetTotalYesterdayMorning: rates.mornings('messagesPulled').yesterday,
      msgGetTotalTodayMorning: rates.mornings('messagesPulled').today,
      msgGetTotalTodayNow: pulled,
      brokerActive: 'true',
      ...replicationRows(this.#options.replication()),
      ...this.#options.delayProgress(),
    };
    return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, String(value)]));
  }

  /** What waits for the lanes of a kind: all of it, and how long the oldest of it. */
  #queueOf(kind: 'send-lane' | 'pull-lane'): { readonly bytes: number; readonly headWaitMs: number } {
    const { shop } = this.#options;
    let bytes = 0;
    let headWaitMs = 0;
    for (const lane of shop.namesOf(kind)) {
      const ring = shop.ring('remoting', lane);
      const arrivedMs = ring.peekWord(InboundFrame.arrivedMs);
      bytes += ring.depthBytes();
      if (arrivedMs !== undefined) headWaitMs = Math.max(headWaitMs, elapsedMs(arrivedMs, Date.now()));
    }
    return { bytes, headWaitMs };
  }
}

function formatRuntime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`;
}

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
