/**
 * The keys of RocketMQ's BrokerConfig, in its order of declaration.
 *
 * Source: spec/properties.md section 4, BrokerConfig.java of 4.9.8.
 */

import { bool, int, type KeyTable, later, long, none, nothingReadsIt, text } from './keys.js';
import type { Machine } from './machine.js';
import { addressList, listOfNames, optionalHost, shortText, wordPattern } from './patterns.js';

const bitMaps = none('every filter is evaluated on the messages themselves; there are no bit maps');
const coordinator = none('the coordinator, one actor, does this work; it has no pool of threads');
const coordinatorQueue = none('the queue is a ring of ringCapacityBytes, and maxInflight bounds what is in it');
const statistics = none('RingMQ keeps no such statistics');
const addressServer = none('RingMQ asks no address server; set namesrvAddr');

const sendThreads = ({ cores }: Machine) => Math.min(cores, 4);
const sendWords = { defaultWords: 'min(cores, 4)' };
const hot = { hot: true } as const;
const important = { important: true } as const;

export const brokerKeys = {
  rocketmqHome: text('', 'install directory of RocketMQ', {
    environment: 'ROCKETMQ_HOME',
    ...none('RingMQ finds its own files'),
  }),
  namesrvAddr: text(
    '',
    'name servers to register with, host:port separated by `;`; empty: the broker is not registered',
    {
      environment: 'NAMESRV_ADDR',
      pattern: addressList,
      ...important,
      ...hot,
    },
  ),
  brokerIP1: text('', 'address advertised to clients; empty: the local address of the connection to the name server', {
    pattern: optionalHost,
    ...important,
  }),
  brokerIP2: text('', 'address advertised to slaves; empty: the local address of the connection to the name server', {
    pattern: optionalHost,
  }),
  brokerName: text(({ hostName }) => hostName || 'DEFAULT_BROKER', 'name of the replica group', {
    defaultWords: 'the host name, else `DEFAULT_BROKER`',
    pattern: wordPattern,
    ...important,
  }),
  brokerClusterName: text('DefaultCluster', 'cluster this broker belongs to', { pattern: wordPattern, ...important }),
  brokerId: long(0, 'number', '0 for a master (whatever the file says), positive for a slave', important),
  brokerPermission: int(6, 'number', 'what the broker admits: 4 reads, 2 writes, 6 both', {
    values: [0, 2, 4, 6],
    ...hot,
  }),
  defaultTopicQueueNums: int(8, 'count', 'queues of the template of automatically created topics', {
    min: 1,
    max: 65_535,
  }),
  autoCreateTopicEnable: bool(true, 'a first send creates its topic', { ...important, ...hot }),
  clusterTopicEnable: bool(true, 'the topic named as the cluster can be read and written'),
  brokerTopicEnable: bool(true, 'the topic named as the broker can be read and written'),
  autoCreateSubscriptionGroup: bool(true, 'a first use creates its consumer group', { ...important, ...hot }),
  messageStorePlugIn: text('', 'Java classes wrapped around the store', none('Java classes cannot be loaded')),
  msgTraceTopicName: text('RMQ_SYS_TRACE_TOPIC', 'topic of message traces', { pattern: wordPattern, ...important }),
  traceTopicEnable: bool(false, 'create the topic of message traces at start', important),
  sendMessageThreadPoolNums: int(
    sendThreads,
    'count',
    'send requests in progress at once, on at most `lanesMax` threads (send lanes)',
    { min: 1, max: 4096, ...sendWords, ...hot },
  ),
  putMessageFutureThreadPoolNums: int(sendThreads, 'count', 'threads that finish asynchronous puts', {
    ...sendWords,
    ...none('the acknowledgement gate finishes puts; it needs no pool'),
  }),
  pullMessageThreadPoolNums: int(
    sendThreads,
    'count',
    'pull requests in progress at once, on at most `lanesMax` threads (pull lanes). Java defaults to 16 + 2 * cores ' +
      'because its threads block; lanes do not',
    { min: 1, max: 4096, ...sendWords, ...hot },
  ),
  processReplyMessageThreadPoolNums: int(({ cores }) => 16 + 2 * cores, 'count', 'threads of reply messages', {
    defaultWords: '16 + 2 * cores',
    ...none('send lanes do this work'),
  }),
  queryMessageThreadPoolNums: int(({ cores }) => 8 + cores, 'count', 'threads of queries by key and id', {
    defaultWords: '8 + cores',
    ...none('queries run on the pull lanes'),
  }),
  adminBrokerThreadPoolNums: int(16, 'count', 'threads of admin requests', coordinator),
  clientManageThreadPoolNums: int(32, 'count', 'threads of client registration', coordinator),
  consumerManageThreadPoolNums: int(32, 'count', 'threads of consumer lists and offsets', coordinator),
  heartbeatThreadPoolNums: int(({ cores }) => Math.min(32, cores), 'count', 'threads of client heartbeats', {
    defaultWords: 'min(32, cores)',
    ...coordinator,
  }),
  endTransactionThreadPoolNums: int(
    machine => Math.max(8 + 2 * machine.cores, 4 * sendThreads(machine)),
    'count',
    'threads that end transactions',
    { defaultWords: 'max(8 + 2 * cores, 4 * min(cores, 4))', ...none('send lanes end transactions') },
  ),
  flushConsumerOffsetInterval: int(5000, 'ms', 'time between two savings of consumer offsets', { min: 1 }),
  flushConsumerOffsetHistoryInterval: int(
    60_000,
    'ms',
    'time between two savings of the offset history',
    nothingReadsIt,
  ),
  rejectTransactionMessage: bool(false, 'refuse half messages', { ...important, ...hot }),
  fetchNamesrvAddrByAddressServer: bool(false, 'ask an address server for the name servers', {
    ...important,
    ...addressServer,
  }),
  sendThreadPoolQueueCapacity: int(10_000, 'count', 'sends waiting before SYSTEM_BUSY is answered', { min: 1 }),
  putThreadPoolQueueCapacity: int(10_000, 'count', 'puts waiting to be finished', none('maxInflight bounds them')),
  pullThreadPoolQueueCapacity: int(100_000, 'count', 'pulls waiting before SYSTEM_BUSY is answered', { min: 1 }),
  replyThreadPoolQueueCapacity: int(10_000, 'count', 'reply messages waiting', none('they wait with the sends')),
  queryThreadPoolQueueCapacity: int(20_000, 'count', 'queries waiting', none('queries wait with the pulls')),
  clientManagerThreadPoolQueueCapacity: int(1_000_000, 'count', 'client registrations waiting', coordinatorQueue),
  consumerManagerThreadPoolQueueCapacity: int(1_000_000, 'count', 'consumer requests waiting', coordinatorQueue),
  heartbeatThreadPoolQueueCapacity: int(50_000, 'count', 'heartbeats waiting', coordinatorQueue),
  endTransactionPoolQueueCapacity: int(
    100_000,
    'count',
    'ends of transactions waiting',
    none('they wait with the sends'),
  ),
  filterServerNums: int(0, 'count', 'filter servers to start', nothingReadsIt),
  longPollingEnable: bool(true, 'hold a pull that found nothing', hot),
  shortPollingTimeMills: long(1000, 'ms', 'how long such a pull is held without long polling', { min: 1, ...hot }),
  notifyConsumerIdsChangedEnable: bool(true, 'tell the consumers of a group when it changes', hot),
  highSpeedMode: bool(false, 'unused', nothingReadsIt),
  commercialEnable: bool(true, 'unused', nothingReadsIt),
  commercialTimerCount: int(1, 'count', 'unused', nothingReadsIt),
  commercialTransCount: int(1, 'count', 'unused', nothingReadsIt),
  commercialBigCount: int(1, 'count', 'unused', nothingReadsIt),
  commercialBaseCount: int(1, 'count', 'unit of commercial statistics', statistics),
  transferMsgByHeap: bool(
    true,
    'copy pull results instead of sending file regions',
    none('pull results are always copied'),
  ),
  maxDelayTime: int(40, 'number', 'unused', nothingReadsIt),
  regionId: text('DefaultRegion', 'region named in answers to sends', { pattern: shortText }),
  registerBrokerTimeoutMills: int(6000, 'ms', 'patience with a name server that registers this broker', { min: 1 }),
  slaveReadEnable: bool(
    false,
    'let answers to pulls of old messages suggest the broker that the group names: a slave',
    hot,
  ),
  disableConsumeIfConsumerReadSlowly: bool(false, 'stop groups that lag too far', later('the check of lagging groups')),
  consumerFallbehindThreshold: long(17_179_869_184, 'bytes', 'that lag', later('the check of lagging groups')),
  brokerFastFailureEnable: bool(true, 'refuse requests that waited too long', hot),
  waitTimeMillsInSendQueue: long(200, 'ms', 'longest wait of a send before SYSTEM_BUSY', hot),
  waitTimeMillsInPullQueue: long(5000, 'ms', 'longest wait of a pull before SYSTEM_BUSY', hot),
  waitTimeMillsInHeartbeatQueue: long(
    31_000,
    'ms',
    'longest wait of a heartbeat',
    none('heartbeats are never expired'),
  ),
  waitTimeMillsInTransactionQueue: long(
    3000,
    'ms',
    'longest wait of the end of a transaction',
    none('they wait with the sends, and as long'),
  ),
  startAcceptSendRequestTimeStamp: long(0, 'ms', 'refuse sends before this time, counted from 1970', hot),
  traceOn: bool(true, 'tell producers that traces are wanted'),
  enableCalcFilterBitMap: bool(false, 'work out filters when messages arrive', bitMaps),
  expectConsumerNumUseFilter: int(
    32,
    'count',
    'groups with a filter, for the size of the bloom filter in consumerFilter.json; another size discards the file',
    { min: 1 },
  ),
  maxErrorRateOfBloomFilter: int(20, 'percent', 'errors allowed to that bloom filter', { min: 1, max: 99 }),
  filterDataCleanTimeSpan: long(86_400_000, 'ms', 'how long filters of dead groups are kept', hot),
  filterSupportRetry: bool(false, 'filter retried messages by what their group wants of their first topic', hot),
  enablePropertyFilter: bool(false, 'admit SQL92 subscriptions', hot),
  compressedRegister: bool(false, 'compress registrations', none('registrations are sent as they are')),
  forceRegister: bool(true, 'register even if nothing changed', none('RingMQ always registers in full, as with true')),
  registerNameServerPeriod: int(30_000, 'ms', 'time between two registrations', {
    min: 10_000,
    max: 60_000,
    clamp: true,
  }),
  transactionTimeOut: long(6000, 'ms', 'age of a half message before its producer is asked', {
    ...important,
    ...hot,
  }),
  transactionCheckMax: int(15, 'count', 'questions before a half message is given up', {
    ...important,
    ...hot,
  }),
  transactionCheckInterval: long(60_000, 'ms', 'time between two rounds of questions', {
    min: 100,
    clamp: true,
    ...important,
    ...hot,
  }),
  checkTransactionMessageEnable: bool(
    true,
    'ask producers about half messages they left undecided; false: RingMQ never asks and never gives one up (a key of RocketMQ 3.0)',
    hot,
  ),
  aclEnable: bool(false, 'access control lists', {
    ...important,
    ...none('RingMQ has no access control; everybody is let in'),
  }),
  storeReplyMessageEnable: bool(true, 'store replies as well as handing them on', hot),
  enableDetailStat: bool(true, 'statistics per queue', statistics),
  autoDeleteUnusedStats: bool(false, 'forget statistics of deleted topics and groups', hot),
  isolateLogEnable: bool(false, 'a log directory per broker', none('logDir names the directory')),
  configBlackList: text(
    'configBlackList;brokerConfigPath',
    'keys that cannot be changed at run time, separated by `;`',
    {
      pattern: listOfNames,
    },
  ),
  rmqAddressServerDomain: text('jmenv.tbsite.net', 'host of the address server', addressServer),
  rmqAddressServerSubGroup: text('nsaddr', 'path of the address server', addressServer),
} satisfies KeyTable;
