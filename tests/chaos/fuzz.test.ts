// @limit 180
/** A short run of the fuzzer; `node dist/tests/chaos/fuzz.js --frames 1000000` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatFuzz, runFuzz } from './fuzz.js';

const fuzz = suite('fuzzed frames');

const seed = Number(process.env.RINGMQ_SEED ?? Date.now() & 0x7fffffff);
console.log(`fuzz: RINGMQ_SEED=${seed}`);

fuzz('a node survives 100 000 of them, and serves who behaves', async () => {
  const options = { frames: 100_000, seed, connections: 16, checkEvery: 20_000, settings: {}, log: () => {} };
  const result = await runFuzz(options);
  const text = formatFuzz(result);
  console.log(text);
  assert.equal(result.faults, [], text);
  assert.equal([...result.nodeErrors], [], text);
  assert.ok(result.frames >= 100_000, text);
  assert.ok(result.controlMessages >= 100, text);
  assert.ok(result.closedByNode > 100, text);
  for (const code of [0, 1, 3, 13, 19, 24]) assert.ok((result.answers.get(code) ?? 0) > 0, `code ${code}\n${text}`);
  assert.ok(result.rssEnd < result.rssStart + 1024 * 1024 * 1024, text);
});

fuzz.run();
