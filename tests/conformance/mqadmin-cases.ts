/**
 * Every command of mqadmin 4.9.7, how it is tried, and how its output may differ from what a Java broker has it print.
 * `mqadmin.test.ts` runs them in this order against both, and docs/mqadmin.md is made from them.
 */
import type { ClientCluster } from '../support/client-cluster.js';
import type { Difference, Mask } from '../support/mqadmin-output.js';
import { type ClusterWords, traceMessage } from './mqadmin-cluster.js';

/** One call of mqadmin. */
export interface MqadminRun {
  /** What has to happen first; gives more words. */
  readonly before?: (cluster: ClientCluster) => Promise<ClusterWords>;
  /** Words; `{name}` is a word of the cluster. `-n` is added. */
  readonly call: string;
  /** What was measured, or drawn by lot. */
  readonly masks?: readonly Mask[];
  readonly differences?: readonly Difference[];
  /** Lines come in the order of a hash table. */
  readonly anyOrder?: boolean;
  /** Only these lines are compared: the others are those of another run. */
  readonly only?: RegExp;
  /** Called again until the output has this: some news travels. */
  readonly until?: RegExp;
  /**
   * It runs for ever, in a program of its own, and says what it has to say in the log of its clients: until this is
   * there.
   */
  readonly logs?: RegExp;
  /** Interrupted when the output has this, a regular expression of Java: the command never ends by itself. */
  readonly endWhen?: string;
  /** A file that it writes and that counts as output. */
  readonly file?: string;
}

export interface MqadminCommand {
  readonly command: string;
  readonly works: boolean;
  readonly runs: readonly MqadminRun[];
  /** For the document. */
  readonly remark?: string;
}

export interface MqadminSection {
  readonly title: string;
  readonly commands: readonly MqadminCommand[];
}

const mask = (what: string, find: RegExp, put: string): Mask => ({ what, find, put });

/** Values of `key : value` and `key = value` lines. */
const valuesOf = (what: string, keys: string): Mask =>
  mask(what, new RegExp(`\\b(${keys.trim().replaceAll(/\s+/g, '|')})(\\s*[:=] ).*$`, 'gm'), `$1$2<${what}>`);

const tps = mask('throughput', /\b\d+\.\d\d(?=\s|\()/g, '<tps>');
const duration = mask('durations', /\b(rt|spentTimeMills)=\d+(ms)?|\b\d+ms\b/g, '$1<duration>');

const transactionTopics = 'the topics of transactions are there from the start; Java makes them after a minute';
const transactionTopicNames = /RMQ_SYS_TRANS_(OP_)?HALF_TOPIC|TRANS_CHECK_MAX_TIME_TOPIC/;
const noAcl = 'there is no ACL: code 3. Java without ACL answers a null pointer exception, or not at all';

const cluster: MqadminSection = {
  title: 'Cluster',
  commands: [
    {
      command: 'clusterList',
      works: true,
      runs: [
        {
          call: 'clusterList',
          masks: [tps, mask('version', /\bV4_9_\d\b/, '<version>'), mask('disk', /0\.\d{4}$/m, '<disk>')],
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
            'measured',
            `putTps get(?:Found|Miss|Total|Transfered|Transferred)Tps putLatency\\w+ \\w+EntireTimeMax putMessageDistributeTime runtime
            \\w+DiskRatio\\w* \\w+DiskUsage\\w* commitLogDirCapacity remainHowManyDataToFlush \\w*[tT]hreadPoolQueue\\w+ dispatchMaxBuffer bootTimestamp`,
          ),
          valuesOf('version', 'brokerVersion brokerVersionDesc'),
        ],
        differences: [
          {
            reason:
              'the earliest message is known at once; Java does not know it before the log has 8 MiB, and prints 1970',
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
        masks: [valuesOf('port', 'listenPort haListenPort'), valuesOf('folder', 'rocketmqHome')],
        differences: [
          {
            reason: '`enableBatchPush` has the name by which it is set',
            java: /^isEnableBatchPush = false$/,
            ringmq: /^enableBatchPush = false$/,
          },
          {
            reason: 'Java sets the width of its Bloom filters, which RingMQ does not need',
            java: /^bitMapLengthConsumeQueueExt = 112$/,
            ringmq: /^bitMapLengthConsumeQueueExt = 64$/,
          },
          {
            reason: 'RingMQ has keys of its own',
            ringmq:
              /^(configStrict|connectionOutboundBytesMax|connectionsMax|lanesMax|log(Dir|Level)|maxInflight|namesrvListenPort|ringCapacityBytes|threadingMode) =/,
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
          masks: [valuesOf('port', 'listenPort'), valuesOf('folder', 'rocketmqHome kvConfigPath configStorePath')],
          differences: [
            {
              reason: 'RingMQ has keys of its own',
              ringmq:
                /^(configStrict|connectionOutboundBytesMax|connectionsMax|log(Dir|Level)|maxInflight|ringCapacityBytes|threadingMode) =/,
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
          masks: [mask('measured', /"(\w+Tps|\w+DiskRatio)":[^,\n]+/g, '"$1":<measured>')],
        },
      ],
    },
  ],
};

const topics: MqadminSection = {
  title: 'Topics',
  commands: [
    {
      command: 'topicList',
      works: true,
      runs: [{ call: 'topicList' }, { call: 'topicList -c' }].map(run => ({
        ...run,
        anyOrder: true,
        differences: [{ reason: transactionTopics, ringmq: transactionTopicNames }],
      })),
    },
    { command: 'topicClusterList', works: true, runs: [{ call: 'topicClusterList -t Orders' }] },
    {
      command: 'topicRoute',
      works: true,
      runs: [
        { call: 'topicRoute -t Orders' },
        { call: 'topicRoute -t Orders -l' },
        { call: 'topicRoute -t None' },
        { call: 'topicRoute' },
      ],
    },
    {
      command: 'topicStatus',
      works: true,
      runs: [{ call: 'topicStatus -t Orders' }, { call: 'topicStatus -t None' }],
    },
    {
      command: 'updateTopic',
      works: true,
      runs: [
        { call: 'updateTopic -b {broker} -t Made -r 3 -w 2' },
        { call: 'topicRoute -t Made', until: /"readQueueNums":3/ },
        { call: 'updateTopic -c DefaultCluster -t MadeOrdered -o true -r 2 -w 2' },
        { call: 'updateOrderConf -t MadeOrdered -m get' },
        { call: 'updateTopic -b {broker} -t a%b' },
      ],
      remark: 'with `-o`, brokers take the list over when they register next',
    },
    {
      command: 'updateTopicPerm',
      works: true,
      runs: [
        { call: 'updateTopicPerm -b {broker} -t Made -p 4' },
        { call: 'topicRoute -t Made', until: /"perm":4/ },
        { call: 'updateTopicPerm -c DefaultCluster -t Made -p 6' },
        { call: 'topicRoute -t Made', until: /"perm":6/ },
        { call: 'updateTopicPerm -b {broker} -t Made -p 6' },
        { call: 'updateTopicPerm -b {broker} -t None -p 6' },
      ],
    },
    {
      command: 'updateOrderConf',
      works: true,
      runs: [
        { call: 'updateOrderConf -t Ordered -m put -v broker-a:2' },
        { call: 'updateOrderConf -t Ordered -m get' },
        { call: 'updateOrderConf -t Ordered -m delete' },
        { call: 'updateOrderConf -t Ordered -m get' },
      ],
    },
    {
      command: 'deleteTopic',
      works: true,
      runs: [
        { call: 'deleteTopic -c DefaultCluster -t Made' },
        { call: 'topicRoute -t Made' },
        { call: 'deleteTopic -c DefaultCluster -t None' },
      ],
      remark:
        'its consume queues go at once. When it is made again, offsets go on where they were, until a restart: what groups have committed stays true. Java begins at 0',
    },
    {
      command: 'cleanUnusedTopic',
      works: true,
      runs: [{ call: 'cleanUnusedTopic -b {broker}' }, { call: 'cleanUnusedTopic -c DefaultCluster' }],
      remark: 'deletes consume queues of topics that are gone',
    },
    { command: 'allocateMQ', works: true, runs: [{ call: 'allocateMQ -t Orders -i a,b,c' }] },
  ],
};

const clientTimes = [
  mask('times', /\b20\d{15}\b/g, '<time>'),
  mask('times', /\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'),
  mask('throughput', /^(Orders|%RETRY%billing)(\s+[\d.]+){6}$/gm, '$1 <measured>'),
];

const groups: MqadminSection = {
  title: 'Groups and clients',
  commands: [
    {
      command: 'updateSubGroup',
      works: true,
      runs: [
        { call: 'updateSubGroup -b {broker} -g made -s true -m false -d false -q 2 -r 5 -i 0 -w 1 -a true' },
        { call: 'getConsumerConfig -g made' },
        { call: 'updateSubGroup -c DefaultCluster -g everywhere' },
        { call: 'getConsumerConfig -g everywhere' },
      ],
      remark: 'every field has its effect but `consumeFromMinEnable`, which no broker reads',
    },
    {
      command: 'getConsumerConfig',
      works: true,
      runs: [{ call: 'getConsumerConfig -g billing' }, { call: 'getConsumerConfig -g nobody' }],
    },
    {
      command: 'deleteSubGroup',
      works: true,
      runs: [
        { call: 'deleteSubGroup -b {broker} -g made -r true' },
        { call: 'getConsumerConfig -g made' },
        { call: 'deleteSubGroup -c DefaultCluster -g everywhere' },
      ],
    },
    {
      command: 'consumerProgress',
      works: true,
      runs: [
        {
          call: 'consumerProgress',
          anyOrder: true,
          masks: [mask('throughput', /(CLUSTERING|OFFLINE)\s+\d+/g, '$1 <tps>')],
        },
        { call: 'consumerProgress -g billing', masks: [tps], until: /%RETRY%billing/ },
        { call: 'consumerProgress -g nightly', masks: [tps] },
        { call: 'consumerProgress -g billing -s true', masks: [tps] },
        { call: 'consumerProgress -g nobody' },
      ],
      remark:
        'messages that the filter of a held pull skips count as consumed when the pull ends, after 15 s at most; with Java after 5 s',
    },
    {
      command: 'brokerConsumeStats',
      works: true,
      runs: [
        { call: 'brokerConsumeStats -b {broker}', anyOrder: true },
        { call: 'brokerConsumeStats -b {broker} -l 1', anyOrder: true },
        { call: 'brokerConsumeStats -b {broker} -o true', anyOrder: true },
      ],
    },
    {
      command: 'consumerConnection',
      works: true,
      runs: [
        { call: 'consumerConnection -g billing' },
        { call: 'consumerConnection -g billing -b {broker}' },
        { call: 'consumerConnection -g nightly' },
      ],
    },
    {
      command: 'producerConnection',
      works: true,
      runs: [{ call: 'producerConnection -g shop -t Orders' }, { call: 'producerConnection -g nobody -t Orders' }],
    },
    { command: 'producer', works: true, runs: [{ call: 'producer -b {broker}' }] },
    {
      command: 'consumerStatus',
      works: true,
      runs: [
        { call: 'consumerStatus -g billing' },
        { call: 'consumerStatus -g billing -i {billing-client}', masks: clientTimes },
        { call: 'consumerStatus -g billing -i {billing-client} -s', masks: clientTimes },
        { call: 'consumerStatus -g nightly' },
      ],
      remark: 'asked of the client',
    },
  ],
};

const offsets: MqadminSection = {
  title: 'Offsets',
  commands: [
    {
      command: 'resetOffsetByTime',
      works: true,
      runs: [
        { call: 'resetOffsetByTime -g nightly -t Orders -s 1000' },
        { call: 'consumerProgress -g nightly', masks: [tps] },
        { call: 'resetOffsetByTime -g billing -t Orders -s now' },
        { call: 'resetOffsetByTime -g billing -t Orders -s 1000' },
        { call: 'resetOffsetByTime -g billing -t Orders -s 1000 -c' },
        { call: 'resetOffsetByTime -g nobody -t None -s now' },
      ],
      remark:
        'online consumers are told to go on elsewhere (C++ ones with the list they read); offsets of a group that is offline are set by `mqadmin` itself',
    },
    {
      command: 'skipAccumulatedMessage',
      works: true,
      runs: [
        { call: 'skipAccumulatedMessage -g nightly -t Orders' },
        { call: 'consumerProgress -g nightly', masks: [tps] },
        { call: 'skipAccumulatedMessage -g billing -t Orders' },
        { call: 'consumerProgress -g billing', until: /Diff Total: 0/, masks: [tps] },
      ],
      remark: 'as `resetOffsetByTime`',
    },
    {
      command: 'cloneGroupOffset',
      works: true,
      runs: [
        { call: 'cloneGroupOffset -s nightly -d copy -t Orders' },
        { call: 'brokerConsumeStats -b {broker}', anyOrder: true },
        { call: 'cloneGroupOffset -s nobody -d copy -t Orders' },
      ],
      remark: 'the command gives a topic; a client that gives none has all topics of the group cloned, by Java none',
    },
  ],
};

/** As many messages as the trace was cut into by time. */
const traceOffset = mask('offsets of the trace', /^(<id>\s+\d+\s+)\d+/m, '$1<offset>');
const traceCount = mask('length of the trace', /^(RMQ_SYS_TRACE_TOPIC .*?)\d+(\s+NO_CONSUMER)/m, '$1<count>$2');

const messages: MqadminSection = {
  title: 'Messages',
  commands: [
    {
      command: 'queryMsgById',
      works: true,
      runs: [
        { call: 'queryMsgById -i {place-0}' },
        { call: 'queryMsgById -i {place-0},{place-1}' },
        { call: 'queryMsgById -i {place-0} -g billing -d {billing-client}', masks: [duration] },
        { call: 'queryMsgById -i {place-12} -s true' },
        { call: 'queryMsgById -i 7F00000100002A9F00000000000000FF' },
      ],
      remark: 'with the track of who consumed it; `-g -d` lets one client consume it, `-s` sends it again',
    },
    {
      command: 'queryMsgByKey',
      works: true,
      runs: [{ call: 'queryMsgByKey -t Orders -k orders-3' }, { call: 'queryMsgByKey -t Orders -k none' }],
    },
    {
      command: 'queryMsgByUniqueKey',
      works: true,
      runs: [
        { call: 'queryMsgByUniqueKey -t Orders -i {id-1}' },
        { call: 'queryMsgByUniqueKey -t Orders -i {id-1} -a' },
        { call: 'queryMsgByUniqueKey -t Orders -i {id-1} -g billing -d {billing-client}', masks: [duration] },
        { call: 'queryMsgByUniqueKey -t Orders -i 7F00000100002A9F00000000000000FF' },
      ],
      remark: 'as `queryMsgById`',
    },
    {
      command: 'queryMsgByOffset',
      works: true,
      runs: [
        { call: 'queryMsgByOffset -t Orders -b broker-a -i 1 -o 1' },
        { call: 'queryMsgByOffset -t Orders -b broker-a -i 1 -o 99' },
      ],
    },
    {
      command: 'printMsg',
      works: true,
      runs: [
        { call: 'printMsg -t Steady' },
        { call: 'printMsg -t Orders -s open -d false', anyOrder: true },
        { call: 'printMsg -t Steady -b 2020-01-01#00:00:00:000 -e 2020-01-02#00:00:00:000' },
      ],
    },
    {
      command: 'printMsgByQueue',
      works: true,
      runs: [
        { call: 'printMsgByQueue -t Orders -a broker-a -i 1 -p true -d true -f true' },
        { call: 'printMsgByQueue -t Steady -a broker-a -i 0 -f true' },
      ],
    },
    {
      command: 'consumeMessage',
      works: true,
      runs: [
        { call: 'consumeMessage -t Steady' },
        { call: 'consumeMessage -t Steady -b broker-a -i 0 -o 2 -c 2' },
        { call: 'consumeMessage -t Steady -b broker-a -i 0 -o 99' },
      ],
    },
    {
      command: 'sendMessage',
      works: true,
      runs: [
        { call: 'sendMessage -t Ordered -p hello -k sent -c tag -b broker-a -i 0' },
        { call: 'queryMsgByKey -t Ordered -k sent', until: /#Offset\s+\S/ },
        { call: 'sendMessage -t Ordered -p hello -i 0' },
      ],
    },
    { command: 'sendMsgStatus', works: true, runs: [{ call: 'sendMsgStatus -b broker-a -c 2', masks: [duration] }] },
    {
      command: 'checkMsgSendRT',
      works: true,
      runs: [
        {
          call: 'checkMsgSendRT -t Ordered -a 3',
          masks: [mask('durations', /(true|false)(\s+)\d+|(RT: ).*/g, '$1$2$3<duration>')],
        },
      ],
    },
    {
      command: 'queryCq',
      works: true,
      runs: [
        { call: 'queryCq -t Steady -q 0 -i 0 -c 3 -b {broker}' },
        { call: 'queryCq -t Steady -q 0 -i 1 -c 2' },
        { call: 'queryCq -t Orders -q 0 -i 0 -c 3 -b {broker} -g billing' },
        { call: 'queryCq -t None -q 0 -i 0 -c 3 -b {broker}' },
      ],
    },
    {
      command: 'queryMsgTraceById',
      works: true,
      runs: [
        {
          before: traceMessage,
          call: 'queryMsgTraceById -i {traced}',
          until: /Sub +tracing/,
          masks: [duration],
          anyOrder: true,
        },
        { call: 'queryMsgTraceById -i {traced} -t Orders' },
        { call: 'sendMessage -t Steady -p traced -k traced -m true -b broker-a -i 0' },
        { call: 'queryMsgByKey -t RMQ_SYS_TRACE_TOPIC -k traced', until: /#Offset\s+\S/, masks: [traceOffset] },
      ],
      remark: 'needs `traceTopicEnable`, or a trace topic of your own, and clients that trace',
    },
  ],
};

const cleaning: MqadminSection = {
  title: 'Cleaning up',
  commands: [
    {
      command: 'cleanExpiredCQ',
      works: true,
      runs: [{ call: 'cleanExpiredCQ -b {broker}' }, { call: 'cleanExpiredCQ -c DefaultCluster' }],
      remark:
        'deletes files of queues and index that point to nothing the log has. A queue keeps its last file, so its offsets go on; Java forgets a queue of which nothing is left',
    },
    {
      command: 'deleteExpiredCommitLog',
      works: true,
      runs: [{ call: 'deleteExpiredCommitLog -b {broker}' }, { call: 'deleteExpiredCommitLog -c DefaultCluster' }],
      remark: "20 passes over the log's files, whatever `deleteWhen` says; files younger than `fileReservedTime` stay",
    },
  ],
};

const statistics: MqadminSection = {
  title: 'Statistics',
  commands: [
    {
      command: 'statsAll',
      works: true,
      runs: [
        { call: 'statsAll -t Steady', until: /Steady +audit .* 7 +0\s/, masks: [tps] },
        {
          call: 'statsAll',
          masks: [tps, traceCount],
          anyOrder: true,
          differences: [{ reason: transactionTopics, ringmq: transactionTopicNames }],
        },
        { call: 'statsAll -a', masks: [tps, traceCount], anyOrder: true },
      ],
    },
  ],
};

const unanswered = /RemotingTimeoutException/;
const access: MqadminSection = {
  title: 'Access',
  commands: (
    [
      ['updateAclConfig', 'updateAclConfig -b {broker} -a RocketMQ -s 12345678', /CODE: 209 /],
      ['deleteAclConfig', 'deleteAclConfig -b {broker} -a RocketMQ', /CODE: 210 /],
      ['clusterAclConfigVersion', 'clusterAclConfigVersion -b {broker}', unanswered],
      ['updateGlobalWhiteAddr', 'updateGlobalWhiteAddr -b {broker} -g 10.0.0.1', /CODE: 211 /],
      ['getAclConfig', 'getAclConfig -b {broker}', unanswered],
    ] as const
  ).map(([command, call, java]) => ({
    command,
    works: false,
    runs: [
      {
        call,
        differences: [
          { reason: noAcl, java, ringmq: /CODE: 3 .*not supported/ },
          // Added by the client to every answer of a broker that has no such line.
          ...(java === unanswered ? [{ reason: noAcl, ringmq: /please visit the url/ }] : []),
        ],
      },
    ],
  })),
};

const noMovedEvents =
  'a pull from outside of its queue is not told to the topic `OFFSET_MOVED_EVENT`, so the monitor does not report it';

const monitoring: MqadminSection = {
  title: 'Monitoring',
  commands: [
    {
      command: 'startMonitoring',
      works: true,
      runs: [
        {
          call: 'startMonitoring',
          logs: /\[MONITOR\] =+endRound/,
          only: /\[MONITOR\] (=|report\w+: .*(topic=Watched|OffsetMovedEvent))/,
          differences: [{ reason: noMovedEvents, java: /OffsetMovedEvent/ }],
          masks: [
            mask('durations', /DelayTimeMills=\d+/g, 'DelayTimeMills=<duration>'),
            mask('the head of the line', /^.*(?=\[MONITOR\])/gm, ''),
          ],
        },
      ],
      remark: 'reports to the log of its clients, `logs/rocketmqlogs/rocketmq_client.log`',
    },
  ],
};

/**
 * In the order in which they are run: what looks at all comes before what changes something; statistics late, and last
 * the monitor, whose clients all the others would see.
 */
export const mqadminSections: readonly MqadminSection[] = [
  cluster,
  topics,
  groups,
  offsets,
  messages,
  cleaning,
  access,
  statistics,
  monitoring,
];
