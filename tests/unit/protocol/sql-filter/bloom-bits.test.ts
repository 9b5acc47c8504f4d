/** The bits of a group's filter. The numbers are from the consumerFilter.json of a Java broker 4.9.7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BloomBits } from '../../../../protocol/sql-filter.js';

const bits = suite('protocol/sql-filter/bloom-bits');

bits('are those that Java gives', () => {
  const defaults = new BloomBits(20, 32);
  assert.equal(defaults.of('G', 'T'), { bitNum: 112, bitPos: [24, 26, 83] });
  assert.equal(defaults.of('G', 'U'), { bitNum: 112, bitPos: [66, 62, 85] });
});

bits('have the size that the settings want', () => {
  const sizeOf = (errorPercent: number, entries: number): number[] => {
    const { bitCount, hashCount } = new BloomBits(errorPercent, entries);
    return [bitCount, hashCount];
  };
  assert.equal(sizeOf(20, 32), [112, 3]);
  assert.equal(sizeOf(1, 32), [312, 7]);
  assert.equal(sizeOf(99, 1), [8, 1]);
});

bits('fit only settings of the same size', () => {
  const data = new BloomBits(20, 32).of('a group with a name longer than a block', 'T');
  assert.ok(new BloomBits(20, 32).fits(data));
  assert.not(new BloomBits(20, 64).fits(data));
  assert.not(new BloomBits(1, 32).fits(data));
  for (const position of data.bitPos) assert.ok(position >= 0 && position < 112);
});

bits.run();
