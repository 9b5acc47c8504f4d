import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareMessage } from '../../../client/message.js';
import { decodeMessages } from '../../../client/message-ext.js';
import {
  afterConsumeRecords,
  beforeConsumeRecords,
  ConsumeReturnType,
  endTransactionRecord,
  publishRecord,
  traceable,
} from '../../../client/trace-data.js';
import { encodeFakeRecord } from '../../support/fake-broker.js';

const trace = suite('client/trace-data');

const limits = { maxMessageSize: 1000, compressMsgBodyOverHowmuch: 1000 };
const result = {
  sendStatus: 'SEND_OK',
  msgId: 'U1',
  offsetMsgId: 'O1',
  messageQueue: { topic: 'T', brokerName: 'b', queueId: 0 },
  queueOffset: 0,
  regionId: 'R1',
  traceOn: true,
} as const;
const parts = (data: string): string[] => {
  assert.is(data.at(-1), '\u0002');
  return data.slice(0, -1).split('\u0001');
};

trace('a send', () => {
  const message = prepareMessage({ topic: 'T', body: 'hello', tags: 'A', keys: ['k1', 'k2'] }, limits);
  const sent = { message, result, brokerAddr: '10.0.0.1:10911', startTimestamp: 1000, costMs: 7 };
  const record = publishRecord(sent, 'PG');
  const common = ['Pub', '1000', 'R1', 'PG', 'T', 'U1'];
  assert.equal(parts(record.data), [...common, 'A', 'k1 k2', '10.0.0.1:10911', '5', '7', '0', 'O1', 'true']);
  assert.equal(record.keys, ['U1', 'k1', 'k2']);

  const bare = prepareMessage({ topic: 'T', body: 'x', delayLevel: 2 }, limits);
  const slow = { ...result, sendStatus: 'FLUSH_DISK_TIMEOUT' } as const;
  const { data } = publishRecord({ ...sent, message: bare, result: slow }, 'PG');
  assert.equal(parts(data).slice(6), ['null', 'null', '10.0.0.1:10911', '1', '7', '3', 'O1', 'false']);
  const half = prepareMessage({ topic: 'T', body: 'x', properties: { TRAN_MSG: 'true' } }, limits);
  assert.is(parts(publishRecord({ ...sent, message: half }, 'PG').data)[11], '1');
});

trace('a consumption, a record for each message', () => {
  const properties = [{ UNIQ_KEY: 'U1', KEYS: 'k1', MSG_REGION: 'R1' }, { UNIQ_KEY: 'U2' }, { TRACE_ON: 'false' }];
  const records = properties.map(each =>
    encodeFakeRecord({ topic: 'T', body: 'x', properties: each, reconsumeTimes: 2 }),
  );
  const messages = traceable(decodeMessages(Buffer.concat(records)));
  assert.is(messages.length, 2);
  const consumption = { consumerGroup: 'CG', requestId: 'Q1', startTimestamp: 1000, messages };
  assert.equal(
    beforeConsumeRecords(consumption).map(({ data }) => parts(data)),
    [
      ['SubBefore', '1000', 'R1', 'CG', 'Q1', 'U1', '2', 'k1'],
      ['SubBefore', '1000', 'DefaultRegion', 'CG', 'Q1', 'U2', '2', 'null'],
    ],
  );
  const after = afterConsumeRecords(consumption, false, ConsumeReturnType.FAILED, 9);
  assert.equal(
    after.map(({ data }) => parts(data).filter((_, index) => index !== 7)),
    [
      ['SubAfter', 'Q1', 'U1', '9', 'false', 'k1', '4', 'CG'],
      ['SubAfter', 'Q1', 'U2', '9', 'false', 'null', '4', 'CG'],
    ],
  );
  assert.equal(after[0]!.keys, ['U1', 'k1']);
});

trace('the end of a transaction', () => {
  const end = {
    producerGroup: 'PG',
    topic: 'T',
    tags: undefined,
    keys: 'k1',
    msgId: 'U1',
    transactionId: 'U1',
    brokerAddr: 'h:1',
    localTransactionState: 'COMMIT_MESSAGE',
    fromTransactionCheck: true,
  };
  const [type, timestamp, ...rest] = parts(endTransactionRecord(end).data);
  assert.is(type, 'EndTransaction');
  assert.ok(Math.abs(Date.now() - Number(timestamp)) < 10_000);
  const expected = ['DefaultRegion', 'PG', 'T', 'U1', 'null', 'k1', 'h:1', '2', 'U1', 'COMMIT_MESSAGE', 'true'];
  assert.equal(rest, expected);
});

trace.run();
