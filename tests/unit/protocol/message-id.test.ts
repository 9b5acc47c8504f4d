import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatIpv4, formatMessageId, MESSAGE_ID_SIZE, parseIpv4, putMessageId } from '../../../protocol/message-id.js';

const ids = suite('protocol/message-id');

/** Source: spec remoting 16.1, storage 3.6. */
ids('the ids of the specification', () => {
  assert.is(formatMessageId(parseIpv4('127.0.0.1'), 20911, 216), '7F000001000051AF00000000000000D8');
  assert.is(formatMessageId(parseIpv4('10.0.0.2'), 10911, 1024), '0A00000200002A9F0000000000000400');
});

ids('offsets of more than 32 bits, addresses with the highest bit', () => {
  assert.is(formatMessageId(parseIpv4('192.168.1.255'), 65535, 0x1234_89ab_cdef), 'C0A801FF0000FFFF0000123489ABCDEF');
  assert.is(formatMessageId(-1, 1, Number.MAX_SAFE_INTEGER), 'FFFFFFFF00000001001FFFFFFFFFFFFF');
});

ids('writes exactly its size', () => {
  const target = new Uint8Array(MESSAGE_ID_SIZE + 4).fill(0xa5);
  assert.is(putMessageId(target, 2, 0, 0, 0), 2 + MESSAGE_ID_SIZE);
  assert.equal([...target.subarray(0, 2), ...target.subarray(-2)], [0xa5, 0xa5, 0xa5, 0xa5]);
  assert.is(Buffer.from(target.subarray(2, -2)).toString(), '0'.repeat(32));
});

ids('addresses, both ways', () => {
  for (const text of ['0.0.0.0', '127.0.0.1', '10.0.0.2', '192.168.255.1', '255.255.255.255']) {
    assert.is(formatIpv4(parseIpv4(text)), text);
    assert.is(parseIpv4(`::ffff:${text}`), parseIpv4(text), 'as a socket for both families names it');
  }
  assert.is(parseIpv4('10.0.0.2'), 0x0a000002);
});

ids('what is no IPv4 address gives 0', () => {
  const wrong = [
    '',
    '::1',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.-4',
    '1.2.3.4a',
    '1..2.3',
    '1.2.3. 4',
  ];
  for (const text of wrong) assert.is(parseIpv4(text), 0, text);
});

ids.run();
