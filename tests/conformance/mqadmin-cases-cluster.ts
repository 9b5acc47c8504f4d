/** Commands of mqadmin about brokers and name servers. */
import { laneKeys, processKeys } from '../../config/schema-ringmq.js';
import { type MqadminSection, mask, tps, transactionTopics, valuesOf } from './mqadmin-case.js';

/** Lines of settings with these names. */
function settingsOf(keys: object): RegExp {
  return new RegExp(`^(${Object.keys(keys).join('|')}) =`);
}

export const cluster: MqadminSection = {
  title: 'Cluster',
  commands: [
    {
      command: 'clusterList',
      works: true,
      runs: [
        {
          call: 'clusterList',
          masks: [tps, mask('versions', /\bV4_9_\d\b/, '<version>'), mask('use of the disk', /0\.\d{4}$/m, '<disk>')],
        },
        { call: 'clusterList -m' },
      ],
    },
    {
      command: 'clusterRT',
      works: true,
      runs: [{ call: 'clusterRT -a 3 -i 60', endWhen: '(?m)^DefaultCluster +broker-a ', masks: [tps] }],
    },
    {
      command: 'brokerStatus',
      works: true,
      runs: [{ call: 'brokerStatus -b {broker}' }, { call: 'brokerStatus -c DefaultCluster' }].map(run => ({
        ...run,
        masks: [
          valuesOf(
            'what is measured',
            `putTps get(?:Found|Miss|Total|Transfered|Transferred)Tps putLatency\\w+ \\w+EntireTimeMax putMessageDistributeTime runtime
            \\w+DiskRatio\\w* \\w+DiskUsage\\w* commitLogDirCapacity remainHowManyDataToFlush \\w*[tT]hreadPoolQueue\\w+ dispatchMaxBuffer bootTimestamp`,
          ),
          valuesOf('versions', 'brokerVersion brokerVersionDesc'),
        ],
        differences: [
          {
            reason: 'the earliest message is known at once (in Java not before the log has 8 MiB)',
            java: /earliestMessageTimeStamp : -1$/,
            ringmq: /earliestMessageTimeStamp : <ms>$/,
          },
          { reason: '`haSlaves` is how many slaves are connected', ringmq: /haSlaves : 0$/ },
          { reason: 'keys of RocketMQ 5 are there too', ringmq: /(brokerActive|getTransferredTps) : / },
        ],
      })),
      remark: 'queue sizes are bytes that wait in rings; queries wait with pulls, ends of transactions with sends',
    },
    {
      command: 'getBrokerConfig',
      works: true,
      runs: [{ call: 'getBrokerConfig -b {broker}' }, { call: 'getBrokerConfig -c DefaultCluster' }].map(run => ({
        ...run,
        anyOrder: true,
        masks: [valuesOf('ports', 'listenPort haListenPort'), valuesOf('folders', 'rocketmqHome')],
        differences: [
          {
            reason: '`enableBatchPush` has the name by which it is set',
            java: /^isEnableBatchPush = false$/,
            ringmq: /^enableBatchPush = false$/,
          },
          {
            reason: 'the width of Bloom filters is that of the file, since there are none (Java computes it)',
            java: /^bitMapLengthConsumeQueueExt = 112$/,
            ringmq: /^bitMapLengthConsumeQueueExt = 64$/,
          },
          {
            reason: 'RingMQ has keys of its own',
            ringmq: settingsOf({ ...processKeys, ...laneKeys }),
          },
          {
            reason: 'keys of other versions are there too',
            ringmq:
              /^(checkTransactionMessageEnable|configBlackList|deleteFileBatchMax|diskSpace(CleanForcibly|WarningLevel)Ratio|rmqAddressServer(Domain|SubGroup)) = ./,
          },
          {
            reason: 'keys without a value are listed',
            ringmq: /^(dLeger(Group|Peers|SelfId)|haMasterAddress|preferredLeaderId|\w+CommitLog(StorePaths)?) =$/,
          },
        ],
      })),
    },
    {
      command: 'updateBrokerConfig',
      works: true,
      runs: [
        { call: 'updateBrokerConfig -b {broker} -k fileReservedTime -v 71' },
        { call: 'getBrokerConfig -b {broker}', only: /fileReservedTime/ },
        { call: 'updateBrokerConfig -c DefaultCluster -k fileReservedTime -v 70' },
        { call: 'getBrokerConfig -b {broker}', only: /fileReservedTime/ },
        { call: 'updateBrokerConfig -b {broker} -k noSuchKey -v 71' },
      ],
      remark: 'a change that needs a restart is stored, and the answer says so',
    },
    {
      command: 'getNamesrvConfig',
      works: true,
      runs: [
        {
          call: 'getNamesrvConfig',
          anyOrder: true,
          masks: [valuesOf('ports', 'listenPort'), valuesOf('folders', 'rocketmqHome kvConfigPath configStorePath')],
          differences: [
            {
              reason: 'RingMQ has keys of its own',
              ringmq: settingsOf(processKeys),
            },
            { reason: 'keys of other versions are there too', ringmq: /^configBlackList = / },
          ],
        },
      ],
    },
    {
      command: 'updateNamesrvConfig',
      works: true,
      runs: [
        { call: 'updateNamesrvConfig -k orderMessageEnable -v true' },
        { call: 'getNamesrvConfig', only: /orderMessageEnable/ },
      ],
    },
    {
      command: 'wipeWritePerm',
      works: true,
      runs: [
        {
          call: 'wipeWritePerm -b broker-a',
          differences: [{ reason: transactionTopics, java: / OK, 16$/, ringmq: / OK, 19$/ }],
        },
        { call: 'topicRoute -t Orders' },
        { call: 'wipeWritePerm -b nobody' },
      ],
    },
    {
      command: 'addWritePerm',
      works: true,
      runs: [
        {
          call: 'addWritePerm -b broker-a',
          differences: [{ reason: transactionTopics, java: / OK, 16$/, ringmq: / OK, 19$/ }],
        },
        { call: 'topicRoute -t Orders' },
        { call: 'addWritePerm -b nobody' },
      ],
    },
    {
      command: 'updateKvConfig',
      works: true,
      runs: [{ call: 'updateKvConfig -s N -k k -v v' }, { call: 'updateKvConfig -s N -k k -v w' }],
    },
    {
      command: 'deleteKvConfig',
      works: true,
      runs: [{ call: 'deleteKvConfig -s N -k k' }, { call: 'deleteKvConfig -s N -k none' }],
    },
    {
      command: 'exportMetadata',
      works: true,
      runs: [
        { call: 'exportMetadata -c DefaultCluster -f {folder}/export', file: 'export/metadata.json' },
        { call: 'exportMetadata -c DefaultCluster -s -t -f {folder}/export', file: 'export/topic.json' },
        { call: 'exportMetadata -b {broker} -t -f {folder}/export', file: 'export/topic.json' },
        { call: 'exportMetadata -b {broker} -g -f {folder}/export', file: 'export/subscriptionGroup.json' },
        { call: 'exportMetadata' },
      ].map(run => ({ ...run, anyOrder: true })),
    },
    {
      command: 'exportConfigs',
      works: true,
      runs: [{ call: 'exportConfigs -c DefaultCluster -f {folder}/export', file: 'export/configs.json' }],
    },
    {
      command: 'exportMetrics',
      works: true,
      runs: [
        {
          call: 'exportMetrics -c DefaultCluster -f {folder}/export',
          file: 'export/metrics.json',
          masks: [mask('what is measured', /"(\w+Tps|\w+DiskRatio)":[^,\n]+/g, '"$1":<measured>')],
        },
      ],
    },
  ],
};
