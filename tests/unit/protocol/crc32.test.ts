import { crc32 } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bodyCrc32 } from '../../../protocol/crc32.js';
import { Prng } from '../../../runtime/base/prng.js';

const crc = suite('protocol/crc32');

/** Source: spec remoting 16.1, storage 3.5. */
const known = { hello: 0x3610a686, hello0: 0x7036e992, hello1: 0x0731d904, batch0: 0x759dc2be, '': 0 };

crc('the values of the specification', () => {
  for (const [text, value] of Object.entries(known)) {
    const body = Buffer.from(text);
    assert.is(bodyCrc32(body, 0, body.length), value, text);
  }
});

crc('agrees with zlib at every length around every way of summing, at every alignment', () => {
  const random = new Prng(3);
  const source = random.bytes(5000);
  const lengths = [...Array.from({ length: 530 }, (_, length) => length), 1023, 1024, 1025, 4096];
  for (const length of lengths) {
    for (const start of [0, 1, 2, 3]) {
      const expected = crc32(source.subarray(start, start + length)) & 0x7fffffff;
      assert.is(bodyCrc32(source, start, start + length), expected, `${length} bytes at ${start}`);
    }
  }
});

crc('has no sign bit', () => {
  const random = new Prng(4);
  let masked = 0;
  for (let run = 0; run < 200; run++) {
    const body = random.bytes(1 + random.below(400));
    if (crc32(body) >= 0x80000000) masked++;
    assert.ok(bodyCrc32(body, 0, body.length) >= 0);
  }
  assert.ok(masked > 50, 'half of all sums have the bit that is masked');
});

crc('sums shared memory', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(600));
  const random = new Prng(5);
  shared.set(random.bytes(600));
  for (const length of [5, 600]) {
    assert.is(bodyCrc32(shared, 0, length), bodyCrc32(Uint8Array.from(shared), 0, length), `${length} bytes`);
  }
});

crc.run();
