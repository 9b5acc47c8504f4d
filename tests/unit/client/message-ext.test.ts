import { deflateSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MQClientError } from '../../../client/errors.js';
import { decodeMessages, type MessageExt } from '../../../client/message-ext.js';
import { encodeFakeRecord } from '../../support/fake-broker.js';

const messageExt = suite('client/message-ext');

/** A record as a 4.9.8 broker stored it. Source: spec remoting 16.1. */
const goldenHex = `
000000d8 daa320a7 0731d904 00000000 00000000 0000000000000000 00000000000000d8 00000000
000001a20790e2d8 7f000001 0000df3c 000001a20790e2dd 7f000001 000051af 00000000 0000000000000000
00000006 68656c6c6f31 09 546f70696344656d6f 006e
610131024b455953016b3102554e49515f4b455901464430303030303030303030303030303030303030303030303030
303030303235413943354646443242323737333238464144383030303102434c55535445520144656661756c74436c75
7374657202544147530154616741`;
const golden = Buffer.from(goldenHex.replaceAll(/\s/g, ''), 'hex');

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as MQClientError).code;
  }
  return 'none';
}

const only = (records: Uint8Array): MessageExt => {
  const messages = decodeMessages(records);
  assert.is(messages.length, 1);
  return messages[0]!;
};

messageExt('reads a record of a Java broker', () => {
  const message = only(golden);
  assert.is(message.topic, 'TopicDemo');
  assert.is(message.bodyText, 'hello1');
  assert.is(message.bodyCRC, 0x0731d904);
  assert.is(message.queueId, 0);
  assert.is(message.queueOffset, 0);
  assert.is(message.commitLogOffset, 216);
  assert.is(message.storeSize, 216);
  assert.is(message.bornHost, '127.0.0.1:57148');
  assert.is(message.storeHost, '127.0.0.1:20911');
  assert.is(message.bornTimestamp, 0x1a20790e2d8);
  assert.is(message.storeTimestamp, 0x1a20790e2dd);
  assert.is(message.tags, 'TagA');
  assert.equal(message.keys, ['k1']);
  assert.is(message.offsetMsgId, '7F000001000051AF00000000000000D8');
  assert.is(message.msgId, 'FD0000000000000000000000000000025A9C5FFD2B277328FAD80001');
  assert.equal(message.properties, {
    a: '1',
    KEYS: 'k1',
    UNIQ_KEY: 'FD0000000000000000000000000000025A9C5FFD2B277328FAD80001',
    CLUSTER: 'DefaultCluster',
    TAGS: 'TagA',
  });
});

/** The golden record with some bytes replaced by others, its size corrected. */
function spliced(edits: readonly (readonly [at: number, remove: number, insert: string])[]): Uint8Array {
  let hex = golden.toString('hex');
  for (const [at, remove, insert] of [...edits].sort(([left], [right]) => right - left)) {
    hex = hex.slice(0, at * 2) + insert.replaceAll(' ', '') + hex.slice((at + remove) * 2);
  }
  const bytes = Buffer.from(hex, 'hex');
  bytes.writeInt32BE(bytes.length, 0);
  return bytes;
}

messageExt('reads IPv6 hosts', () => {
  const ip = 'fd00 0000 0000 0000 0000 0000 0000 0002';
  const message = only(
    spliced([
      [36, 4, '00000030'],
      [48, 4, ip],
      [64, 4, ip],
    ]),
  );
  assert.is(message.bornHost, '[fd00:0:0:0:0:0:0:2]:57148');
  assert.is(message.storeHost, '[fd00:0:0:0:0:0:0:2]:20911');
  assert.is(message.offsetMsgId, `${ip.replaceAll(' ', '').toUpperCase()}000051AF00000000000000D8`);
  assert.is(message.topic, 'TopicDemo');
  assert.is(message.bodyText, 'hello1');
});

messageExt('reads a V2 record, whose topic length takes two bytes', () => {
  const message = only(
    spliced([
      [4, 4, 'daa320ab'],
      [94, 1, '0009'],
    ]),
  );
  assert.is(message.topic, 'TopicDemo');
  assert.is(message.tags, 'TagA');
});

messageExt('reads records one after another', () => {
  const second = encodeFakeRecord({ topic: 'T', body: 'two', queueOffset: 9 });
  const messages = decodeMessages(Buffer.concat([golden, second, golden]));
  assert.equal(
    messages.map(message => message.bodyText),
    ['hello1', 'two', 'hello1'],
  );
  assert.is(messages[1]?.queueOffset, 9);
  assert.is(messages[1]?.msgId, messages[1]?.offsetMsgId);
  assert.equal(decodeMessages(new Uint8Array(0)), []);
});

messageExt('inflates zlib bodies, whichever client wrote them', () => {
  const text = 'squeeze me '.repeat(100);
  for (const sysFlag of [0x1, 0x301]) {
    const message = only(encodeFakeRecord({ topic: 'T', body: deflateSync(text), sysFlag }));
    assert.is(message.bodyText, text);
  }
});

messageExt('refuses LZ4, zstd and damaged bodies when the body is asked for', () => {
  for (const [sysFlag, name] of [
    [0x101, 'LZ4'],
    [0x201, 'zstd'],
  ] as const) {
    const message = only(encodeFakeRecord({ topic: 'T', body: 'x', sysFlag }));
    assert.is(message.topic, 'T');
    assert.is(
      codeOf(() => message.body),
      'UNSUPPORTED_COMPRESSION',
    );
    assert.throws(() => message.body, new RegExp(`compressed with ${name}`));
  }
  const damaged = only(encodeFakeRecord({ topic: 'T', body: 'no zlib stream', sysFlag: 1 }));
  assert.is(
    codeOf(() => damaged.body),
    'BAD_ANSWER',
  );
});

messageExt('refuses what is cut short anywhere', () => {
  for (let size = 1; size < golden.length; size++) {
    assert.is(
      codeOf(() => decodeMessages(golden.subarray(0, size))),
      'BAD_ANSWER',
      `${size} bytes`,
    );
    const lying = Buffer.from(golden.subarray(0, size));
    if (size < 4) continue;
    lying.writeInt32BE(size, 0);
    assert.is(
      codeOf(() => decodeMessages(lying)),
      'BAD_ANSWER',
      `${size} bytes that claim to be whole`,
    );
  }
});

messageExt('gives the same message with other fields, and the id of its transaction', () => {
  const body = deflateSync('hello');
  const properties = { UNIQ_KEY: 'U1', TRAN_MSG: 'true' };
  const message = only(encodeFakeRecord({ topic: 'T', body, sysFlag: 1, properties }));
  const changed = message.with({ topic: 'U', reconsumeTimes: 3 });
  assert.equal([changed.topic, changed.reconsumeTimes, changed.bodyText], ['U', 3, 'hello']);
  assert.equal([message.topic, message.reconsumeTimes], ['T', 0], 'the first one stays as it is');
  assert.is(changed.transactionId, 'U1');
  assert.is(only(golden).transactionId, undefined);
});

messageExt('refuses an unknown magic', () => {
  assert.is(
    codeOf(() => decodeMessages(spliced([[4, 4, 'cbd43194']]))),
    'BAD_ANSWER',
  );
});

messageExt.run();
