import { inflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MQClientError } from '../../../client/errors.js';
import { type Message, prepareBatch, prepareMessage } from '../../../client/message.js';
import { parseProperties } from '../../../protocol/message-record.js';

const message = suite('client/message');

const limits = { maxMessageSize: 10_000, compressMsgBodyOverHowmuch: 4096 };

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as MQClientError).code;
  }
  return 'none';
}

const propertiesOf = (input: Message): Record<string, string> =>
  Object.fromEntries(parseProperties(prepareMessage(input, limits).properties));

message('puts fields and user properties into one property string', () => {
  const { UNIQ_KEY, ...rest } = propertiesOf({
    topic: 'T',
    body: 'x',
    tags: 'TagA',
    keys: ['k1', 'k2'],
    delayLevel: 3,
    waitStoreMsgOk: false,
    properties: { a: '1' },
  });
  assert.match(UNIQ_KEY!, /^[0-9A-F]{32}$/);
  assert.equal(rest, { a: '1', KEYS: 'k1 k2', WAIT: 'false', TAGS: 'TagA', DELAY: '3' });
});

message('says WAIT=true and nothing else of what is not given', () => {
  assert.equal(Object.keys(propertiesOf({ topic: 'T', body: 'x' })), ['UNIQ_KEY', 'WAIT']);
});

message('keeps the UNIQ_KEY of a message that has one', () => {
  const prepared = prepareMessage({ topic: 'T', body: 'x', properties: { UNIQ_KEY: 'AB' } }, limits);
  assert.is(prepared.uniqKey, 'AB');
  assert.is(parseProperties(prepared.properties).get('UNIQ_KEY'), 'AB');
});

message('sends text as UTF-8', () => {
  assert.equal(prepareMessage({ topic: 'T', body: 'é' }, limits).body, new TextEncoder().encode('é'));
});

message('compresses from the limit on, when that makes the body smaller', () => {
  const below = prepareMessage({ topic: 'T', body: 'a'.repeat(4095) }, limits);
  assert.is(below.sysFlag, 0);
  assert.is(below.body.length, 4095);
  const at = prepareMessage({ topic: 'T', body: 'a'.repeat(4096) }, limits);
  assert.is(at.sysFlag, 1);
  assert.is(inflateSync(at.body).toString(), 'a'.repeat(4096));
  const noise = new Uint8Array(5000);
  let state = 1;
  for (let index = 0; index < noise.length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    noise[index] = state >>> 24;
  }
  assert.is(prepareMessage({ topic: 'T', body: noise }, limits).sysFlag, 0);
});

message('refuses what no broker would take', () => {
  const refused: Message[] = [
    { topic: '', body: 'x' },
    { topic: 'no spaces', body: 'x' },
    { topic: 'T'.repeat(128), body: 'x' },
    { topic: 'T', body: '' },
    { topic: 'T', body: new Uint8Array(10_001) },
    { topic: 'T', body: 'x', properties: { TAGS: 'a' } },
    { topic: 'T', body: 'x', properties: { '': 'a' } },
    { topic: 'T', body: 'x', properties: { a: '' } },
    { topic: 'T', body: 'x', properties: { a: 'b\u0002c' } },
    { topic: 'T', body: 'x', tags: 'a\u0001' },
    { topic: 'T', body: 'x', delayLevel: -1 },
    { topic: 'T', body: 'x', properties: { a: 'b'.repeat(32767) } },
  ];
  for (const input of refused) {
    assert.is(
      codeOf(() => prepareMessage(input, limits)),
      'MESSAGE_ILLEGAL',
      JSON.stringify(input).slice(0, 80),
    );
  }
});

message('half messages, replies and messages to a retry topic are sent in their own ways', () => {
  const half = prepareMessage({ topic: 'T', body: 'x'.repeat(5000), properties: { TRAN_MSG: 'true' } }, limits);
  assert.equal([half.sysFlag, half.requestCode], [4 | 1, 310]);
  const reply = prepareMessage({ topic: 'T', body: 'x', properties: { MSG_TYPE: 'reply' } }, limits);
  assert.is(reply.requestCode, 325);
  const properties = { RECONSUME_TIME: '2', MAX_RECONSUME_TIMES: '5' };
  const retry = prepareMessage({ topic: '%RETRY%G', body: 'x', properties }, limits);
  assert.equal([retry.reconsumeTimes, retry.maxReconsumeTimes], [2, 5]);
  assert.not.ok(retry.properties.includes('RECONSUME'), 'they are in the header instead');
  const other = prepareMessage({ topic: 'T', body: 'x', properties }, limits);
  assert.equal([other.reconsumeTimes, other.maxReconsumeTimes], [0, undefined]);
  assert.match(other.properties, /RECONSUME_TIME\u00012/, 'elsewhere they are properties like others');
});

message('lays a batch out as the broker reads it', () => {
  const batch = prepareBatch(
    [
      { topic: 'T', body: 'batch0', flag: 7, properties: { UNIQ_KEY: 'A' } },
      { topic: 'T', body: 'batch1', properties: { UNIQ_KEY: 'B' } },
    ],
    limits,
  );
  assert.is(batch.uniqKey, 'A,B');
  assert.is(batch.properties, 'WAIT\u0001true');
  const properties = 'UNIQ_KEY\u0001A\u0002WAIT\u0001true';
  const size = 20 + 6 + 2 + properties.length;
  const view = Buffer.from(batch.body);
  assert.is(view.length, 2 * size);
  assert.equal(
    [0, 4, 8, 12, 16].map(at => view.readInt32BE(at)),
    [size, 0, 0, 7, 6],
  );
  assert.is(view.toString('utf8', 20, 26), 'batch0');
  assert.is(view.readInt16BE(26), properties.length);
  assert.is(view.toString('utf8', 28, size), properties);
  assert.is(view.readInt32BE(size), size);
});

message('refuses batches whose messages do not belong together', () => {
  const refused: Message[][] = [
    [],
    [
      { topic: 'T', body: 'x' },
      { topic: 'U', body: 'x' },
    ],
    [
      { topic: 'T', body: 'x' },
      { topic: 'T', body: 'x', waitStoreMsgOk: false },
    ],
    [{ topic: 'T', body: 'x', delayLevel: 1 }],
    [{ topic: '%RETRY%G', body: 'x' }],
    [
      { topic: 'T', body: new Uint8Array(6000) },
      { topic: 'T', body: new Uint8Array(6000) },
    ],
  ];
  for (const batch of refused)
    assert.is(
      codeOf(() => prepareBatch(batch, limits)),
      'MESSAGE_ILLEGAL',
    );
});

message.run();
