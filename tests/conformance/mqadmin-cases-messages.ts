/** Commands of mqadmin about messages, and those that have little to do with the others. */
import { duration, type MqadminSection, mask, tps, transactionTopicNames, transactionTopics } from './mqadmin-case.js';
import { traceMessage } from './mqadmin-cluster.js';

/** As many messages as the trace was cut into by time. */
const traceOffset = mask('offsets of the trace', /^(<id>\s+\d+\s+)\d+/m, '$1<offset>');
/** Its offsets were reset while it was online: what was on its way came again, or did not. */
const consumedAgain = mask('what was consumed again', /^(Orders\s+billing .*?)\d+\s*$/m, '$1<count>');
const traceCount = mask('length of the trace', /^(RMQ_SYS_TRACE_TOPIC .*?)\d+(\s+NO_CONSUMER)/m, '$1<count>$2');

export const messages: MqadminSection = {
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

export const cleaning: MqadminSection = {
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

export const statistics: MqadminSection = {
  title: 'Statistics',
  commands: [
    {
      command: 'statsAll',
      works: true,
      runs: [
        { call: 'statsAll -t Steady', until: /Steady +audit .* 7 +0\s/, masks: [tps] },
        {
          call: 'statsAll',
          masks: [tps, traceCount, consumedAgain],
          anyOrder: true,
          differences: [{ reason: transactionTopics, ringmq: transactionTopicNames }],
        },
        { call: 'statsAll -a', masks: [tps, traceCount, consumedAgain], anyOrder: true },
      ],
    },
  ],
};

const noAcl =
  'there is no access control: code 3 (Java without its ACL answers a null pointer exception, or not at all)';
const unanswered = /RemotingTimeoutException/;
export const access: MqadminSection = {
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

export const monitoring: MqadminSection = {
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
