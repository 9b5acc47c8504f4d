import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MQClientError } from '../../../client/errors.js';
import type { MessageExt } from '../../../client/message-ext.js';
import {
  type LocalTransactionState,
  TransactionProducer,
  type TransactionProducerOptions,
} from '../../../client/transaction-producer.js';
import { encodeBody } from '../../../protocol/bodies/fields.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createRequest, createResponse } from '../../../protocol/command.js';
import { parseProperties } from '../../../protocol/message-record.js';
import { encodeFakeRecord, FakeBroker, fakeRoute, rejectionOf } from '../../support/fake-broker.js';
import { until } from '../../support/until.js';

const transaction = suite('client/transaction-producer');

type Options = TransactionProducerOptions<LocalTransactionState | Error>;

interface Rig {
  readonly broker: FakeBroker;
  readonly producer: TransactionProducer<LocalTransactionState | Error>;
  readonly executed: unknown[];
  readonly checked: MessageExt[];
  readonly reports: string[];
}

const { CHECK_TRANSACTION_STATE, END_TRANSACTION, HEART_BEAT, SEND_MESSAGE_V2 } = RequestCode;
/** 127.0.0.1:10911, physical offset 216. */
const offsetMsgId = '7F00000100002A9F00000000000000D8';

async function withRig(options: Partial<Options>, body: (rig: Rig) => Promise<void>): Promise<void> {
  const broker = await FakeBroker.listen();
  broker.serveRoutes(topic => (topic === 'T' ? fakeRoute({ 'broker-a': broker.address }, 1) : null));
  broker.on(RequestCode.GET_BROKER_CLUSTER_INFO, request => {
    const brokerData = { cluster: 'C', brokerName: 'broker-a', brokerAddrs: { 0: broker.address } };
    const info = { brokerAddrTable: { 'broker-a': brokerData }, clusterAddrTable: { C: ['broker-a'] } };
    return createResponse(request, 0, null, {}, encodeBody(info));
  });
  for (const code of [HEART_BEAT, RequestCode.UNREGISTER_CLIENT]) {
    broker.on(code, request => createResponse(request, 0));
  }
  broker.on(SEND_MESSAGE_V2, request =>
    createResponse(request, 0, null, { msgId: offsetMsgId, queueId: 0, queueOffset: 7 }),
  );
  const [executed, checked, reports]: [unknown[], MessageExt[], string[]] = [[], [], []];
  const producer = new TransactionProducer<LocalTransactionState | Error>({
    namesrvAddr: broker.address,
    producerGroup: 'PG',
    onError: (_error, what) => reports.push(what),
    executeLocalTransaction: async (message, argument, context) => {
      executed.push([message.body, context.transactionId, context.sendResult.queueOffset]);
      if (argument instanceof Error) throw argument;
      return argument;
    },
    checkLocalTransaction: async message => {
      checked.push(message);
      return 'COMMIT_MESSAGE';
    },
    ...options,
  });
  try {
    await producer.start();
    await body({ broker, producer, executed, checked, reports });
  } finally {
    await producer.shutdown();
    await broker.close();
  }
}

transaction('sends a half message, runs the transaction, and says how it ended', () =>
  withRig({}, async ({ broker, producer, executed }) => {
    const states = { COMMIT_MESSAGE: '8', ROLLBACK_MESSAGE: '12', UNKNOW: '0' } as const;
    for (const [state, expected] of Object.entries(states) as [LocalTransactionState, string][]) {
      const message = { topic: 'T', body: state, keys: 'k', delayLevel: 3, properties: { colour: 'red' } };
      const result = await producer.sendMessageInTransaction(message, state);
      await until(() => broker.received(END_TRANSACTION).at(-1)?.extFields.msgId === result.msgId, 'the end');
      const { f, i } = broker.received(SEND_MESSAGE_V2).at(-1)!.extFields;
      const properties = parseProperties(i!);
      assert.is(f, '4', 'prepared');
      assert.equal(
        ['TRAN_MSG', 'PGROUP', 'UNIQ_KEY', 'KEYS', 'colour', 'DELAY'].map(name => properties.get(name)),
        ['true', 'PG', result.msgId, 'k', 'red', undefined],
      );
      const end = broker.received(END_TRANSACTION).at(-1)!;
      assert.equal(end.flag & 2, 2, 'oneway');
      const { commitLogOffset, tranStateTableOffset, commitOrRollback, fromTransactionCheck } = end.extFields;
      assert.equal(
        [commitLogOffset, tranStateTableOffset, commitOrRollback, fromTransactionCheck, end.extFields.producerGroup],
        ['216', '7', expected, 'false', 'PG'],
      );
      assert.equal([result.localTransactionState, result.transactionId], [state, result.msgId]);
      assert.equal(executed.at(-1), [state, result.msgId, 7]);
    }
  }),
);

transaction('rolls back without a transaction when the message is not safe', () =>
  withRig({}, async ({ broker, producer, executed }) => {
    for (const code of [ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.FLUSH_SLAVE_TIMEOUT, 11]) {
      const ends = broker.received(END_TRANSACTION).length;
      broker.on(SEND_MESSAGE_V2, request =>
        createResponse(request, code, null, { msgId: offsetMsgId, queueId: 0, queueOffset: 7 }),
      );
      const result = await producer.sendMessageInTransaction({ topic: 'T', body: 'x' }, 'COMMIT_MESSAGE');
      await until(() => broker.received(END_TRANSACTION).length > ends, 'the end');
      assert.is(broker.received(END_TRANSACTION).at(-1)!.extFields.commitOrRollback, '12');
      assert.is(result.localTransactionState, 'ROLLBACK_MESSAGE');
    }
    assert.equal(executed, []);
  }),
);

transaction('leaves it open when the transaction throws or says nonsense, and tells the broker why', () =>
  withRig({}, async ({ broker, producer, reports }) => {
    const thrown = await producer.sendMessageInTransaction({ topic: 'T', body: 'x' }, new Error('no database'));
    assert.is(thrown.localTransactionState, 'UNKNOW');
    await until(() => broker.received(END_TRANSACTION).length === 1, 'the end');
    const end = broker.received(END_TRANSACTION)[0]!;
    assert.equal([end.extFields.commitOrRollback, end.remark], ['0', 'executeLocalTransaction exception: no database']);
    const nonsense = 'YES' as LocalTransactionState;
    const result = await producer.sendMessageInTransaction({ topic: 'T', body: 'x' }, nonsense);
    assert.is(result.localTransactionState, 'UNKNOW');
    assert.equal(reports, ['executeLocalTransaction', 'executeLocalTransaction']);
  }),
);

transaction('a message may bring its own transaction, and needs one', () =>
  withRig({ executeLocalTransaction: undefined }, async ({ broker, producer }) => {
    const message = { topic: 'T', body: 'x' };
    const error = await rejectionOf(producer.sendMessageInTransaction(message, 'UNKNOW'));
    assert.is((error as MQClientError).code, 'INVALID_ARGUMENT');
    assert.is(broker.received(SEND_MESSAGE_V2).length, 0);
    const options = { executeLocalTransaction: async (): Promise<LocalTransactionState> => 'COMMIT_MESSAGE' };
    const result = await producer.sendMessageInTransaction(message, 'UNKNOW', options);
    assert.is(result.localTransactionState, 'COMMIT_MESSAGE');
  }),
);

transaction('is known to brokers from the start, and answers their checks', () =>
  withRig({}, async ({ broker, checked, reports }) => {
    const beat = JSON.parse(Buffer.from(broker.received(HEART_BEAT)[0]!.body!).toString());
    assert.equal(beat.producerDataSet, [{ groupName: 'PG' }], 'before it has sent anything');
    const fields = {
      commitLogOffset: 500,
      tranStateTableOffset: 9,
      msgId: 'U1',
      transactionId: 'U1',
      bname: 'broker-a',
    };
    const check = (group: string): void => {
      const properties = { TRAN_MSG: 'true', PGROUP: group, UNIQ_KEY: 'U1', KEYS: 'k1' };
      const request = createRequest(
        CHECK_TRANSACTION_STATE,
        fields,
        encodeFakeRecord({ topic: 'T', body: 'x', properties }),
      );
      request.flag = 2;
      broker.push(request);
    };
    check('PG');
    await until(() => broker.received(END_TRANSACTION).length === 1, 'the answer');
    const { extFields, flag } = broker.received(END_TRANSACTION)[0]!;
    assert.equal(extFields, {
      commitLogOffset: '500',
      tranStateTableOffset: '9',
      fromTransactionCheck: 'true',
      msgId: 'U1',
      transactionId: 'U1',
      bname: 'broker-a',
      producerGroup: 'PG',
      commitOrRollback: '8',
    });
    assert.equal([flag & 2, checked[0]!.transactionId, checked[0]!.keys], [2, 'U1', ['k1']]);
    check('other');
    await until(() => reports.length === 1, 'a report');
    assert.is(broker.received(END_TRANSACTION).length, 1, 'a check of another group is not answered');
  }),
);

transaction.run();
