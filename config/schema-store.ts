/**
 * The keys of RocketMQ's MessageStoreConfig, in its order of declaration; the last three are of RocketMQ 5.
 *
 * Source: spec/properties.md sections 5 and 12.2, MessageStoreConfig.java of 4.9.8.
 */

import { bool, int, type KeyTable, long, none, nothingReadsIt, oneOf, text, type ValueOf } from './keys.js';
import { delayLevels, hoursOfDay, onePathOrEmpty, optionalAddress, pathPattern } from './patterns.js';

const indexRebuilt = none('keys that a crash lost are indexed again from the log, always');
const inOrder = none('deliveries of a level are always on their way side by side, and stored in order');
const heldLevel = none('a refused delivery holds its level and is repeated until it is stored');
const countsDeliveries = none('deliveries are counted in shared memory, always');
const noExtensions = none('filters are evaluated on the messages themselves; entries have no extensions');
const noPause = none('a pass deletes at most deleteFileBatchMax files, without a pause');
const noMapping = none('files are not memory-mapped; a deleted file waits for nobody');
const noWarmUp = none('files are not memory-mapped; there is nothing to warm up');
const noWriteBuffer = none('there is no second buffer in front of the commit log');
const noRaft = none('RingMQ has no DLedger');
const noLightQueues = none('RingMQ has no light queues');
const hot = { hot: true } as const;
const important = { important: true } as const;
const loop = { min: 1, ...hot } as const;
const transfer = { min: 1, ...hot, ...important } as const;

export const storeKeys = {
  storePathRootDir: text(({ homeDir }) => `${homeDir}/store`, 'root of all data of one broker', {
    defaultWords: '`<home directory>/store`',
    pattern: pathPattern,
    ...important,
  }),
  storePathCommitLog: text('', 'directory of the commit log', {
    defaultWords: 'storePathRootDir + `/commitlog`',
    pattern: onePathOrEmpty,
    ...important,
  }),
  storePathDLedgerCommitLog: text('', 'directory of the DLedger log', { ...important, ...noRaft }),
  readOnlyCommitLogStorePaths: text(
    '',
    'commit log directories that take no new files',
    none('there is one directory'),
  ),
  mappedFileSizeCommitLog: int(1_073_741_824, 'bytes', 'size of a commit log file; must not change on existing data', {
    min: 8192,
    aliases: ['mapedFileSizeCommitLog'],
  }),
  mappedFileSizeConsumeQueue: int(
    6_000_000,
    'bytes',
    'size of a consume queue file, rounded up to whole entries; must not change on existing data',
    { min: 20, max: 2_147_483_640, multipleOf: 20, aliases: ['mapedFileSizeConsumeQueue'] },
  ),
  enableConsumeQueueExt: bool(false, 'write extensions of consume queue entries', noExtensions),
  mappedFileSizeConsumeQueueExt: int(50_331_648, 'bytes', 'size of an extension file', noExtensions),
  bitMapLengthConsumeQueueExt: int(64, 'count', 'filter bits of an extension', noExtensions),
  flushIntervalCommitLog: int(500, 'ms', 'period of the asynchronous flush', { ...loop, ...important }),
  commitIntervalCommitLog: int(200, 'ms', 'period of committing the write buffer', { ...important, ...noWriteBuffer }),
  useReentrantLockWhenPutMessage: bool(true, 'kind of the put lock', none('one actor writes; there is no lock')),
  flushCommitLogTimed: bool(true, 'flush on the period alone, not woken by puts', { ...hot, ...important }),
  flushIntervalConsumeQueue: int(1000, 'ms', 'period of the consume queue flush', loop),
  cleanResourceInterval: int(10_000, 'ms', 'period of the retention task', { min: 1 }),
  deleteCommitLogFilesInterval: int(100, 'ms', 'pause between two deletions of commit log files', noPause),
  deleteConsumeQueueFilesInterval: int(100, 'ms', 'pause between two deletions of consume queue files', noPause),
  destroyMapedFileIntervalForcibly: int(120_000, 'ms', 'patience with readers of a file to delete', {
    aliases: ['destroyMappedFileIntervalForcibly'],
    ...noMapping,
  }),
  redeleteHangedFileInterval: int(120_000, 'ms', 'time before a failed deletion is tried again', noMapping),
  deleteWhen: text('04', 'hours of the day in which files are deleted for their age', {
    pattern: hoursOfDay,
    ...hot,
    ...important,
  }),
  diskMaxUsedSpaceRatio: int(75, 'percent', 'used disk above which expired files go at any hour', {
    min: 10,
    max: 95,
    clamp: true,
    ...hot,
  }),
  fileReservedTime: int(72, 'hours', 'age at which a file expires, counted from its last change', {
    ...hot,
    ...important,
  }),
  putMsgIndexHightWater: int(600_000, 'count', 'unused', { aliases: ['putMsgIndexHighWater'], ...nothingReadsIt }),
  maxMessageSize: int(4_194_304, 'bytes', 'largest body of a message; equal on master and slaves', {
    min: 10,
    max: 268_435_456,
  }),
  checkCRCOnRecover: bool(true, 'check the CRC of bodies after a crash'),
  flushCommitLogLeastPages: int(4, 'pages', 'dirty pages of 4 KiB that make an asynchronous flush worth while', hot),
  commitCommitLogLeastPages: int(4, 'pages', 'pages that make a commit of the write buffer worth while', noWriteBuffer),
  flushLeastPagesWhenWarmMapedFile: int(4096, 'pages', 'pages between two flushes of a warm-up', {
    aliases: ['flushLeastPagesWhenWarmMappedFile'],
    ...noWarmUp,
  }),
  flushConsumeQueueLeastPages: int(2, 'pages', 'dirty pages that make a consume queue flush worth while', hot),
  flushCommitLogThoroughInterval: int(10_000, 'ms', 'longest time without a flush of whatever is dirty', hot),
  commitCommitLogThoroughInterval: int(200, 'ms', 'longest time without a commit of the write buffer', noWriteBuffer),
  flushConsumeQueueThoroughInterval: int(60_000, 'ms', 'the same for consume queues and the checkpoint', hot),
  maxTransferBytesOnMessageInMemory: int(262_144, 'bytes', 'most bytes of one pull, recent messages', transfer),
  maxTransferCountOnMessageInMemory: int(32, 'count', 'most messages of one pull, recent messages', transfer),
  maxTransferBytesOnMessageInDisk: int(65_536, 'bytes', 'most bytes of one pull, old messages', transfer),
  maxTransferCountOnMessageInDisk: int(8, 'count', 'most messages of one pull, old messages', transfer),
  accessMessageInMemoryMaxRatio: int(40, 'percent', 'share of memory that makes a message recent', {
    max: 100,
    ...hot,
    ...important,
  }),
  messageIndexEnable: bool(true, 'build the index of keys', important),
  maxHashSlotNum: int(5_000_000, 'count', 'hash slots of an index file', { min: 1 }),
  maxIndexNum: int(20_000_000, 'count', 'entries of an index file', { min: 2 }),
  maxMsgsNumBatch: int(64, 'count', 'most results of a query by key', { min: 1, hot: true }),
  messageIndexSafe: bool(false, 'the index decides where recovery starts', { ...important, ...indexRebuilt }),
  haListenPort: int(0, 'port', 'port of replication; 0: listenPort + 1', {
    defaultWords: 'listenPort + 1',
    max: 65_535,
  }),
  haSendHeartbeatInterval: int(5000, 'ms', 'silence after which master or slave says that it is there', { min: 1 }),
  haHousekeepingInterval: int(20_000, 'ms', 'silence after which a replication link is closed', { min: 1 }),
  haTransferBatchSize: int(
    32_768,
    'bytes',
    'most bytes of the log behind one header; a Java slave takes 4 MiB at most',
    {
      min: 1024,
      max: 4_000_000,
      clamp: true,
    },
  ),
  haMasterAddress: text('', 'where a slave replicates from; empty: as the name server says', {
    pattern: optionalAddress,
    ...important,
  }),
  haSlaveFallbehindMax: int(268_435_456, 'bytes', 'lag above which a SYNC_MASTER waits for no slave', {
    aliases: ['haSlaveFallBehindMax'],
    min: 1,
  }),
  brokerRole: oneOf(
    ['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'],
    'ASYNC_MASTER',
    'role of this broker at start',
    important,
  ),
  flushDiskType: oneOf(
    ['ASYNC_FLUSH', 'SYNC_FLUSH'],
    'ASYNC_FLUSH',
    'whether a send is answered before or after its message is on disk',
    important,
  ),
  syncFlushTimeout: int(5000, 'ms', 'patience with a flush before FLUSH_DISK_TIMEOUT', { min: 1 }),
  slaveTimeout: int(3000, 'ms', 'patience with a slave before FLUSH_SLAVE_TIMEOUT', { min: 1 }),
  messageDelayLevel: text(
    '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h',
    'the delays of levels 1, 2, …',
    { pattern: delayLevels },
  ),
  flushDelayOffsetInterval: long(
    10_000,
    'ms',
    'longest time between two savings of the progress of delays; never more than a second',
    loop,
  ),
  cleanFileForciblyEnable: bool(true, 'delete files that have not expired when the disk is nearly full', {
    ...hot,
    ...important,
  }),
  warmMapedFileEnable: bool(false, 'touch new files before use', { aliases: ['warmMappedFileEnable'], ...noWarmUp }),
  offsetCheckInSlave: bool(false, 'a slave corrects offsets of pulls that are out of its range, as a master does', hot),
  debugLockEnable: bool(false, 'print the threads when the put lock is held long', none('there is no put lock')),
  duplicationEnable: bool(false, 'an old way to copy logs', none('RingMQ replicates by the HA protocol only')),
  diskFallRecorded: bool(true, 'count how far pulls lag behind the disk', none('RingMQ keeps no such statistics')),
  osPageCacheBusyTimeOutMills: long(
    1000,
    'ms',
    'how long the put lock may be held before sends are refused',
    none('there is no put lock'),
  ),
  defaultQueryMaxNum: int(32, 'count', 'most results of a query by unique key', { min: 1, hot: true }),
  transientStorePoolEnable: bool(false, 'write into buffers off the page cache', { ...important, ...noWriteBuffer }),
  transientStorePoolSize: int(5, 'count', 'number of such buffers', noWriteBuffer),
  fastFailIfNoBufferInStorePool: bool(false, 'refuse sends when no such buffer is free', noWriteBuffer),
  enableDLegerCommitLog: bool(false, 'keep the commit log by DLedger', noRaft),
  dLegerGroup: text('', 'raft group', noRaft),
  dLegerPeers: text('', 'raft members', noRaft),
  dLegerSelfId: text('', 'raft id of this broker', noRaft),
  preferredLeaderId: text('', 'preferred raft leader', noRaft),
  enableBatchPush: bool(false, 'append to raft in batches', noRaft),
  enableScheduleMessageStats: bool(true, 'count delayed deliveries', countsDeliveries),
  enableLmq: bool(false, 'light queues', noLightQueues),
  enableMultiDispatch: bool(false, 'one record in many queues', noLightQueues),
  maxLmqConsumeQueueNum: int(20_000, 'count', 'most light queues', noLightQueues),
  enableScheduleAsyncDeliver: bool(false, 'deliver delayed messages in parallel', inOrder),
  scheduleAsyncDeliverMaxPendingLimit: int(2000, 'count', 'deliveries on their way per level', loop),
  scheduleAsyncDeliverMaxResendNum2Blocked: int(3, 'count', 'repetitions before a level waits', heldLevel),
  diskSpaceWarningLevelRatio: int(90, 'percent', 'used disk above which sends are refused', {
    min: 35,
    max: 99,
    clamp: true,
    ...hot,
  }),
  diskSpaceCleanForciblyRatio: int(85, 'percent', 'used disk above which files go whatever their age', {
    min: 30,
    max: 99,
    clamp: true,
    ...hot,
  }),
  deleteFileBatchMax: int(10, 'count', 'most files deleted in one pass', loop),
} satisfies KeyTable;

export type BrokerRole = ValueOf<typeof storeKeys.brokerRole>;
export type FlushDiskType = ValueOf<typeof storeKeys.flushDiskType>;
