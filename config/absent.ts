/**
 * Keys that other versions of RocketMQ have and RingMQ does not: a file may hold them, and the warning should say why
 * they do nothing.
 */

const old = 'RocketMQ 3.0 read it; no later version does, and neither does RingMQ';
const newer = 'it is a key of RocketMQ 5, which RingMQ does not have';

const oldKeys = [
  'checkTransactionMessageTimerInterval',
  'checkTransactionMessageAtleastInterval',
  'tranStateTableStorePath',
  'tranStateTableMapedFileSize',
  'tranRedoLogStorePath',
  'tranRedoLogMapedFileSize',
];

const newerKeys = [
  ...['enableControllerMode', 'controllerAddr', 'fetchControllerAddrByDnsLookup', 'brokerHeartbeatInterval'],
  ...['brokerNotActiveTimeoutMillis', 'brokerElectionPriority', 'syncBrokerMetadataPeriod', 'checkSyncStateSetPeriod'],
  ...['syncControllerMetadataPeriod', 'controllerHeartBeatTimeoutMills', 'totalReplicas', 'inSyncReplicas'],
  ...['minInSyncReplicas', 'allAckInSyncStateSet', 'enableAutoInSyncReplicas', 'haMaxGapNotInSync'],
  ...[
    'haMaxTimeSlaveNotCatchup',
    'syncFromLastFile',
    'asyncLearner',
    'haFlowControlEnable',
    'maxHaTransferByteInSecond',
  ],
  ...[
    'putMessageTimeout',
    'storePathEpochFile',
    'storePathBrokerIdentity',
    'enableSlaveActingMaster',
    'enableRemoteEscape',
  ],
  ...['timerWheelEnable', 'timerMaxDelaySec', 'timerPrecisionMs', 'timerRollWindowSlot', 'timerCongestNumEachSlot'],
  ...['timerEnableRetryUntilSuccess', 'timerSkipUnknownError', 'enabledAppendPropCRC', 'forceVerifyPropCRC'],
  ...['autoMessageVersionOnTopicLen', 'maxTopicLength', 'pullBatchMaxMessageCount', 'maxFilterMessageSize'],
  ...['readUnCommitted', 'transactionOpMsgMaxSize', 'transactionOpBatchInterval', 'consumerOffsetUpdateVersionStep'],
  ...[
    'delayOffsetUpdateVersionStep',
    'channelExpiredTimeout',
    'subscriptionExpiredTimeout',
    'enableBroadcastOffsetStore',
  ],
  ...['storeType', 'rejectPullConsumerEnable', 'enableSingleTopicRegister', 'enableSplitRegistration'],
  ...['splitRegistrationSize', 'recallMessageEnable', 'enableShutdownGracefully', 'shutdownWaitTimeSeconds'],
  ...['supportActingMaster', 'notifyMinBrokerIdChanged', 'scanNotActiveBrokerInterval', 'clientRequestThreadPoolNums'],
  ...['clientRequestThreadPoolQueueCapacity', 'defaultThreadPoolNums', 'defaultThreadPoolQueueCapacity'],
  ...['needWaitForService', 'waitSecondsForService', 'enableControllerInNamesrv', 'deleteTopicWithBrokerRegistration'],
  ...['unRegisterBrokerQueueCapacity', 'returnOrderTopicConfigToBroker', 'enableAllTopicList', 'enableTopicList'],
  ...['mapperFileSizeBatchConsumeQueue'],
];

/**
 * Key -> why it does nothing.
 *
 * Source: spec/properties.md sections 11 and 12.2.
 */
export const absentKeys: ReadonlyMap<string, string> = new Map([
  ...oldKeys.map(key => [key, old] as const),
  ...newerKeys.map(key => [key, newer] as const),
]);
