/**
 * Hundreds of small lives of a broker, each from a seed. A failure names its seed: `simulate({ seed, ... })` runs it
 * again.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatReport } from '../support/checker.js';
import { type End, type SimulationOptions, type SimulationResult, simulate } from './simulated-broker.js';

const broker = suite('simulated broker');

interface Sum {
  acknowledged: number;
  read: number;
  refused: number;
  readonly ends: Record<End, number>;
}

function runSeeds(from: number, count: number, options: Omit<SimulationOptions, 'seed'>): Sum {
  const sum: Sum = { acknowledged: 0, read: 0, refused: 0, ends: { clean: 0, kill: 0, power: 0 } };
  for (let seed = from; seed < from + count; seed++) {
    let result: SimulationResult;
    try {
      result = simulate({ ...options, seed });
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    const { report, broken, ends } = result;
    const story = `seed ${seed} (${ends.join(', ')})`;
    assert.is(report.faultCount, 0, `${story}: ${formatReport(report)}`);
    assert.equal(broken.slice(0, 5), [], story);
    sum.acknowledged += report.acknowledged;
    sum.read += report.read;
    sum.refused += result.refused;
    for (const end of ends) sum.ends[end]++;
  }
  return sum;
}

broker('SYNC_FLUSH: nothing acknowledged is lost, whatever ends the broker', () => {
  const sum = runSeeds(1, 80, { syncFlush: true, ends: ['clean', 'kill', 'power', 'power'], diskFaults: false });
  assert.ok(sum.acknowledged > 1200 && Object.values(sum.ends).every(count => count > 10), JSON.stringify(sum));
});

broker(
  'killed, then without power: what was read back is on the device before anything behind it is acknowledged',
  () => {
    const options = {
      syncFlush: true,
      ends: ['kill', 'power'] as const,
      diskFaults: false,
      segmentSize: 12 * 1024,
      runs: 4,
    };
    const sum = runSeeds(60_101, 40, options);
    assert.ok(sum.acknowledged > 500, JSON.stringify(sum));
  },
);

broker('consume queues of many small files: nothing acknowledged is lost', () => {
  const options = { syncFlush: true, ends: ['clean', 'kill', 'power'] as const, diskFaults: false, unitsPerFile: 16 };
  const sum = runSeeds(30_001, 30, options);
  assert.ok(sum.acknowledged > 500, JSON.stringify(sum));
});

broker('ASYNC_FLUSH: nothing acknowledged is lost as long as the machine stays up', () => {
  const sum = runSeeds(10_001, 40, { syncFlush: false, ends: ['clean', 'kill'], diskFaults: false });
  assert.ok(sum.acknowledged > 1000 && sum.ends.kill > 10, JSON.stringify(sum));
});

broker('a disk that fills up, refuses writes or loses a sync: nothing acknowledged is lost', () => {
  const sum = runSeeds(20_001, 40, { syncFlush: true, ends: ['clean', 'kill', 'power'], diskFaults: true });
  assert.ok(sum.acknowledged > 400 && sum.refused > 40, JSON.stringify(sum));
});

broker('the same seed gives the same story', () => {
  const options: SimulationOptions = { seed: 77, syncFlush: true, ends: ['kill', 'power'], diskFaults: true };
  const tell = (): unknown => {
    const { report, ends, refused, pulled } = simulate(options);
    return { ...report, ends, refused, pulled };
  };
  assert.equal(tell(), tell());
});

broker.run();
