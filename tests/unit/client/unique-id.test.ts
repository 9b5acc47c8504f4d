import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUniqKey, formatUniqKey, parseOffsetMsgId } from '../../../client/unique-id.js';

const uniqueId = suite('client/unique-id');

uniqueId('writes the UNIQ_KEY of the specification', () => {
  const ip = new Uint8Array(16);
  ip[0] = 0xfd;
  ip[15] = 2;
  const fields = { ip, pid: 0x5a9c, hash: 0x5ffd2b27, sinceMonthStartMs: 0x7328fad8, counter: 1 };
  // Source: spec remoting 16.1.
  assert.is(formatUniqKey(fields), 'FD0000000000000000000000000000025A9C5FFD2B277328FAD80001');
});

uniqueId('never makes the same twice', () => {
  const nowMs = Date.UTC(2024, 4, 17);
  const keys = Array.from({ length: 60_000 }, () => createUniqKey(nowMs));
  assert.is(new Set(keys).size, keys.length);
});

uniqueId('counts the time from the start of the month, over its end as well', () => {
  const millisecondsOf = (key: string): number => Number.parseInt(key.slice(20, 28), 16);
  const lastOfMay = new Date(2024, 4, 31, 23, 59, 59).getTime();
  const firstOfJune = new Date(2024, 5, 1, 0, 0, 1).getTime();
  assert.is(millisecondsOf(createUniqKey(lastOfMay)), lastOfMay - new Date(2024, 4, 1).getTime());
  assert.is(millisecondsOf(createUniqKey(firstOfJune)), 1000);
  assert.is(millisecondsOf(createUniqKey(lastOfMay)), lastOfMay - new Date(2024, 4, 1).getTime());
});

uniqueId('reads offset message ids, IPv4 and IPv6', () => {
  assert.equal(parseOffsetMsgId('7F000001000051AF00000000000000D8'), {
    address: '127.0.0.1:20911',
    physicalOffset: 216,
  });
  assert.equal(parseOffsetMsgId('fd000000000000000000000000000002000051af0000000100000000'), {
    address: '[fd00:0:0:0:0:0:0:2]:20911',
    physicalOffset: 2 ** 32,
  });
});

uniqueId('refuses what is no id', () => {
  for (const text of ['', '7F000001', 'G'.repeat(32), '0'.repeat(33)]) {
    assert.throws(() => parseOffsetMsgId(text), /no offset message id/);
  }
});

uniqueId.run();
