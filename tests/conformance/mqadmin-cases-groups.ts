/** Commands of mqadmin about topics, groups and their offsets. */
import { type MqadminSection, mask, tps, transactionTopicNames, transactionTopics } from './mqadmin-case.js';
export const topics: MqadminSection = {
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

export const groups: MqadminSection = {
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

export const offsets: MqadminSection = {
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
        { call: 'brokerConsumeStats -b {broker}', anyOrder: true, only: /audit|copy|nightly/ },
        { call: 'cloneGroupOffset -s nobody -d copy -t Orders' },
      ],
      remark: 'the command gives a topic; a client that gives none has all topics of the group cloned, by Java none',
    },
  ],
};
