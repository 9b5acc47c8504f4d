/**
 * Makes an actor from shared memory and plain settings, on whatever thread it is to run. The one place that knows what
 * each room needs.
 */
import { ConsumeQueueUnit } from '../../protocol/consume-queue-unit.js';
import { SendResponseEncoder } from '../../protocol/send-response.js';
import { SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import type { Actor } from '../../runtime/actor/contract.js';
import { systemClock } from '../../runtime/base/clock.js';
import { ceilPowerOfTwo } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import { updateCheckpoint } from '../../storage/checkpoint.js';
import { CommitLogAppender } from '../../storage/commit-log-appender.js';
import { CommitLogReader } from '../../storage/commit-log-reader.js';
import { ConsumeQueueReader, ConsumeQueueWriter } from '../../storage/consume-queue.js';
import type { Disk } from '../../storage/disk.js';
import { MessageIndexReader, MessageIndexWriter } from '../../storage/message-index.js';
import { consumeQueueFolder } from '../../storage/paths.js';
import { syncSegments } from '../../storage/segment-cache.js';
import { BrokerAppends } from '../broker-appends.js';
import { CommitLogWriter } from '../commit-log-writer/actor.js';
import { Dispatcher } from '../dispatcher/actor.js';
import { QueueRetirer } from '../dispatcher/queue-retirer.js';
import { FlushService } from '../flush-service/actor.js';
import { Forwarder } from '../forwarder/actor.js';
import { HaReceiver } from '../ha-receiver/actor.js';
import { HaSender } from '../ha-sender/actor.js';
import { PullLane } from '../pull-lane/actor.js';
import { Remoting } from '../remoting/actor.js';
import type { ConnectionTable } from '../remoting/connection-table.js';
import type { Outlet } from '../remoting/outlet.js';
import type { RoomName } from '../remoting/routes.js';
import { Scheduler } from '../scheduler/actor.js';
import { DelayOffsetFile } from '../scheduler/delay-offsets.js';
import { SendLane } from '../send-lane/actor.js';
import type { SendContext } from '../send-lane/behaviour.js';
import { RecordSource } from '../send-lane/record-source.js';
import { SpanNotes } from '../span-notes.js';
import { Telemetry } from '../telemetry/actor.js';
import { TransactionChecker } from '../transaction-checker/actor.js';
import type { BrokerSettings, RemotingSettings } from './build-settings.js';
import type { Workshop } from './memory.js';
import { type ActorInstance, type ActorKind, ringId } from './wiring.js';

/** Delayed messages that are on their way to the log. */
const DELIVERIES_MAX = 16_384;

export interface BuildTools {
  readonly shop: Workshop;
  readonly settings: BrokerSettings;
  readonly disk: Disk;
  readonly log: Logger;
  /** The actor has a thread of its own and may wait for the disk. */
  readonly mayBlock: boolean;
}

/** Rooms of the message path, which run on any thread. */
export function buildActor(actor: ActorInstance, tools: BuildTools): Actor {
  switch (actor.kind) {
    case 'send-lane':
      return buildSendLane(actor.name, tools);
    case 'commit-log-writer':
      return buildWriter(actor.name, tools);
    case 'flush-service':
      return buildFlushService(actor.name, tools);
    case 'dispatcher':
      return buildDispatcher(actor.name, tools);
    case 'scheduler':
      return buildScheduler(actor.name, tools);
    case 'pull-lane':
      return buildPullLane(actor.name, tools);
    case 'transaction-checker':
      return buildTransactionChecker(actor.name, tools);
    default:
      throw new Error(`${actor.kind} is not made here`);
  }
}

function buildSendLane(name: string, { shop, settings, disk, log }: BuildTools): SendLane {
  return new SendLane({
    name,
    inbox: shop.ring('remoting', name),
    news: shop.ring('coordinator', name),
    toWriter: shop.ring(name, 'commit-log-writer'),
    writerBell: shop.bell('commit-log-writer'),
    toRemoting: shop.ring(name, 'remoting'),
    remotingBell: shop.bell('remoting'),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    storeState: shop.storeState,
    counters: shop.counters(name),
    waits: shop.waits(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
    settings: settings.sendLane,
    context: settings.context,
    traffic: shop.groupTraffic(name),
    records: new RecordSource(
      new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
      shop.positions,
    ),
    joinsTraces: shop.namesOf('telemetry').length > 0,
  });
}

/** Notes for the telemetry room, where there is one. */
function spanNotes(shop: Workshop, name: string): SpanNotes | undefined {
  const room = 'telemetry';
  if (!shop.hasRing(name, room)) return undefined;
  const ring = shop.ring(name, room);
  return new SpanNotes({ ring, bell: shop.bell(room), counters: shop.counters(name), clock: systemClock });
}

/** Who is rung when the log grew, besides those who hear of results. */
const logFollowers: readonly ActorKind[] = ['flush-service', 'dispatcher', 'ha-sender', 'ha-receiver'];

function buildWriter(name: string, { shop, settings, disk, log }: BuildTools): CommitLogWriter {
  const end = shop.positions.read('appended');
  const askers = shop.memory.actors.filter(actor => shop.hasRing(actor.name, name) && actor.kind !== 'ha-receiver');
  const followers = shop.memory.actors.filter(({ kind }) => logFollowers.includes(kind)).map(actor => actor.name);
  // Remoting answers what clients sent; a room that appends for the broker hears of it itself.
  const listeners = ['remoting', ...askers.filter(({ kind }) => kind !== 'send-lane').map(asker => asker.name)];
  return new CommitLogWriter({
    inboxes: askers.map(asker => ({
      requests: shop.ring(asker.name, name),
      outlet: Math.max(0, listeners.indexOf(asker.name)),
    })),
    outlets: listeners.map(listener => ({
      ring: shop.ring(name, listener),
      bell: shop.bell(listener),
      takesFrames: listener === 'remoting',
      regionId: settings.context.regionId,
    })),
    ...(shop.hasRing('ha-receiver', name) ? { replica: shop.ring('ha-receiver', name) } : {}),
    followerBells: [...new Set(followers.map(follower => shop.bell(follower)))],
    appender: new CommitLogAppender(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog, end),
    positions: shop.positions,
    storeState: shop.storeState,
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
    queueOffsets: settings.queueOffsets,
  });
}

function buildFlushService(name: string, { shop, settings, disk, log, mayBlock }: BuildTools): FlushService {
  return new FlushService({
    disk,
    folder: settings.paths.commitLog,
    segmentSize: settings.mappedFileSizeCommitLog,
    syncFlush: settings.context.syncFlush,
    flush: settings.flush,
    news: shop.ring('coordinator', name),
    mayBlock,
    positions: shop.positions,
    remotingBell: shop.bell('remoting'),
    bell: shop.bell(name),
    storeState: shop.storeState,
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
  });
}

function buildDispatcher(name: string, { shop, settings, disk, log, mayBlock }: BuildTools): Dispatcher {
  const { paths } = settings;
  return new Dispatcher({
    reader: new CommitLogReader(disk, paths.commitLog, settings.mappedFileSizeCommitLog),
    news: shop.ring('coordinator', name),
    positions: shop.positions,
    table: shop.queueTable,
    traffic: shop.queueTraffic,
    openQueue: (topic, queueId, nextOffset) => {
      const folder = consumeQueueFolder(paths, topic, queueId);
      return new ConsumeQueueWriter(disk, folder, settings.mappedFileSizeConsumeQueue, nextOffset, -1);
    },
    toCoordinator: { ring: shop.ring(name, 'coordinator'), bell: shop.bell('coordinator') },
    pullLanes: shop.namesOf('pull-lane').map(lane => ({ ring: shop.ring(name, lane), bell: shop.bell(lane) })),
    pullLanesStarted: () => shop.laneCounts.started('pull-lane'),
    delayLevelsMs: settings.delayLevelsMs,
    schedulerBell: shop.bell('scheduler'),
    storeState: shop.storeState,
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
    flusher: {
      config: settings.flushQueues,
      mayBlock,
      positions: shop.positions,
      writeCheckpoint: timestampMs =>
        updateCheckpoint(disk, paths.checkpoint, { physicMsgTimestamp: timestampMs, logicsMsgTimestamp: timestampMs }),
      log: log.child({ actor: name }),
    },
    index: openIndexWriter(disk, settings, mayBlock),
    retirer: new QueueRetirer({
      disk,
      paths,
      fileSize: settings.mappedFileSizeConsumeQueue,
      table: shop.queueTable,
      log: log.child({ actor: name }),
    }),
  });
}

/** Undefined when messageIndexEnable is off. */
export function openIndexWriter(
  disk: Disk,
  settings: Pick<BrokerSettings, 'index' | 'paths'>,
  mayBlock: boolean,
): MessageIndexWriter | undefined {
  const { index, paths } = settings;
  if (!index.messageIndexEnable) return undefined;
  return new MessageIndexWriter(
    disk,
    { ...index, folder: paths.index },
    {
      nowMs: Date.now,
      mayBlock,
      onFileFull: endTimestampMs => updateCheckpoint(disk, paths.checkpoint, { indexMsgTimestamp: endTimestampMs }),
    },
  );
}

function buildScheduler(name: string, { shop, settings, disk, log }: BuildTools): Scheduler {
  const { paths, mappedFileSizeCommitLog, mappedFileSizeConsumeQueue } = settings;
  const writer = 'commit-log-writer';
  return new Scheduler({
    news: shop.ring('coordinator', name),
    appends: new BrokerAppends({
      toWriter: shop.ring(name, writer),
      writerBell: shop.bell(writer),
      results: shop.ring(writer, name),
      pendingMax: DELIVERIES_MAX,
    }),
    positions: shop.positions,
    table: shop.queueTable,
    storeState: shop.storeState,
    delayLevelsMs: settings.delayLevelsMs,
    reader: new CommitLogReader(disk, paths.commitLog, mappedFileSizeCommitLog),
    openQueue: (queueId, units) =>
      new ConsumeQueueReader(
        disk,
        consumeQueueFolder(paths, SCHEDULE_TOPIC, queueId),
        mappedFileSizeConsumeQueue,
        units,
      ),
    offsets: new DelayOffsetFile(disk, paths.config),
    syncLog: (from, to) => syncSegments(disk, paths.commitLog, mappedFileSizeCommitLog, from, to),
    host: settings.context,
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
  });
}

function buildPullLane(name: string, { shop, settings, disk, log }: BuildTools): PullLane {
  return new PullLane({
    name,
    inbox: shop.ring('remoting', name),
    news: shop.ring('coordinator', name),
    grown: shop.ring('dispatcher', name),
    toRemoting: shop.ring(name, 'remoting'),
    remotingBell: shop.bell('remoting'),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    positions: shop.positions,
    table: shop.queueTable,
    log: new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
    openQueue: (topic, queueId, units) => openQueueReader(disk, settings, topic, queueId, units),
    counters: shop.counters(name),
    waits: shop.waits(name),
    traffic: shop.groupTraffic(name),
    latencies: shop.getLatencies(name),
    recorder: shop.recorder(name),
    logger: log.child({ actor: name }),
    settings: settings.pullLane,
    brokerName: settings.context.brokerName,
    storeState: shop.storeState,
    index: new MessageIndexReader(disk, { ...settings.index, folder: settings.paths.index }),
    notes: spanNotes(shop, name),
  });
}

/** The master's side of replication, for a thread with an event loop. */
export function buildHaSender({ shop, settings, disk, log }: BuildTools, nowMs: () => number): HaSender {
  const name = 'ha-sender';
  return new HaSender({
    reader: new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
    positions: shop.positions,
    storeState: shop.storeState,
    remotingBell: shop.bell('remoting'),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
    settings: settings.ha,
    nowMs,
  });
}

/** The slave's side. */
export function buildHaReceiver({ shop, settings, disk, log }: BuildTools, nowMs: () => number): HaReceiver {
  const name = 'ha-receiver';
  return new HaReceiver({
    news: shop.ring('coordinator', name),
    toWriter: shop.ring(name, 'commit-log-writer'),
    writerBell: shop.bell('commit-log-writer'),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    positions: shop.positions,
    reader: new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    log: log.child({ actor: name }),
    settings: settings.ha,
    nowMs,
  });
}

function buildTransactionChecker(name: string, { shop, settings, disk, log }: BuildTools): TransactionChecker {
  return new TransactionChecker({
    news: shop.ring('coordinator', name),
    toWriter: shop.ring(name, 'commit-log-writer'),
    writerBell: shop.bell('commit-log-writer'),
    results: shop.ring('commit-log-writer', name),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    positions: shop.positions,
    table: shop.queueTable,
    log: new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
    openQueue: (topic, queueId, ahead) =>
      openQueueReader(disk, settings, topic, queueId, new Uint8Array(ahead * ConsumeQueueUnit.size)),
    host: settings.context,
    counters: shop.counters(name),
    recorder: shop.recorder(name),
    logger: log.child({ actor: name }),
    settings: settings.transactionChecker,
  });
}

function openQueueReader(
  disk: Disk,
  { paths, mappedFileSizeConsumeQueue }: BrokerSettings,
  topic: string,
  queueId: number,
  units: Uint8Array,
): ConsumeQueueReader {
  return new ConsumeQueueReader(disk, consumeQueueFolder(paths, topic, queueId), mappedFileSizeConsumeQueue, units);
}

/** Who sends on what is meant for a new master, for a thread with an event loop. */
export function buildForwarder({ shop, settings, log }: BuildTools, nowMs: () => number): Forwarder {
  const name = 'forwarder';
  return new Forwarder({
    inbox: shop.ring('remoting', name),
    toRemoting: shop.ring(name, 'remoting'),
    remotingBell: shop.bell('remoting'),
    toCoordinator: shop.ring(name, 'coordinator'),
    coordinatorBell: shop.bell('coordinator'),
    counters: shop.counters(name),
    log: log.child({ actor: name }),
    forwarding: settings.forwarding,
    nowMs,
  });
}

/** Spans for an OTLP collector, for a thread with an event loop. */
export function buildTelemetry({ shop, settings, disk, log }: BuildTools): Telemetry {
  const name = 'telemetry';
  const senders = shop.memory.actors.filter(actor => shop.hasRing(actor.name, name));
  return new Telemetry({
    inboxes: senders.map(actor => shop.ring(actor.name, name)),
    positions: shop.positions,
    log: new CommitLogReader(disk, settings.paths.commitLog, settings.mappedFileSizeCommitLog),
    counters: shop.counters(name),
    logger: log.child({ actor: name }),
    openSink: async listener => {
      const { openOtlpSink } = await import('../telemetry/otlp-sink.js');
      return openOtlpSink(settings.telemetry!, listener);
    },
  });
}

/** Remoting, for the thread that has the sockets. */
export function buildRemoting(
  shop: Workshop,
  settings: RemotingSettings,
  context: Pick<SendContext, 'storeAddress' | 'storePort' | 'regionId' | 'traceOn'>,
  connections: ConnectionTable,
  log: Logger,
  nowMs: () => number,
): Remoting {
  const outlet = (name: string): Outlet => ({
    ring: shop.ring('remoting', name),
    bell: shop.bell(name),
    counters: shop.counters(ringId('remoting', name)),
  });
  const rooms = {
    sendLane: 'send-lane',
    pullLane: 'pull-lane',
    coordinator: 'coordinator',
    nameRegistry: 'name-registry',
    forwarder: 'forwarder',
  } as const;
  const outlets: Partial<Record<RoomName, Outlet[]>> = {};
  for (const [room, kind] of Object.entries(rooms)) {
    const names = shop.namesOf(kind);
    if (names.length > 0) outlets[room as RoomName] = names.map(outlet);
  }
  const senders = shop.memory.actors.filter(actor => shop.hasRing(actor.name, 'remoting'));
  return new Remoting({
    kinds: settings.listeners,
    outlets,
    inlets: senders.map(actor => shop.ring(actor.name, 'remoting')),
    writerRings: shop.namesOf('send-lane').map(lane => shop.ring(lane, 'commit-log-writer')),
    positions: shop.positions,
    storeState: shop.storeState,
    laneCounts: shop.laneCounts,
    counters: shop.counters('remoting'),
    recorder: shop.recorder('remoting'),
    traceSwitch: shop.traceSwitch,
    encoder: new SendResponseEncoder(context, context.regionId, context.traceOn),
    log: log.child({ actor: 'remoting' }),
    connections,
    passesOnUntilMs: settings.passesOnUntilMs,
    maxInflight: ceilPowerOfTwo(settings.maxInflight),
    syncFlushTimeoutMs: settings.syncFlushTimeoutMs,
    slaveTimeoutMs: settings.slaveTimeoutMs,
    haSlaveFallbehindMax: settings.haSlaveFallbehindMax,
    putLatencies: shop.putLatencies,
    notes: spanNotes(shop, 'remoting'),
    idleMaxMs: settings.idleMaxMs,
    closingRooms: (['coordinator', 'nameRegistry'] as const).filter(room => outlets[room] !== undefined),
    nowMs,
  });
}
