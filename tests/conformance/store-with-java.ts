/**
 * Round trips of a store between RingMQ and Java, or any two of them; store-round-trip.ts says what is checked.
 *
 *   RINGMQ_REFERENCE=… node dist/tests/conformance/store-with-java.js --version 4.9.7 --count 100000
 *   RINGMQ_REFERENCE=… node dist/tests/conformance/store-with-java.js --pair 3.2.6,4.9.7 --end kill
 */
import { parseArgs } from 'node:util';
import { MiB } from '../../runtime/base/units.js';
import { launchersNamed, runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import { formatRoundTrip, runRoundTrip } from './store-round-trip.js';

const usage = `usage: store-with-java [options]
  --end stop|kill|both, --count 100000, --segment-mib 16, --seed 1
  --version 4.9.7        RingMQ writes and Java reads, and the other way round
  --pair WRITER,READER   just this one; each is ringmq or a Java version`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: '4.9.7' },
      pair: { type: 'string' },
      end: { type: 'string', default: 'both' },
      count: { type: 'string', default: '100000' },
      'segment-mib': { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const pairs = values.pair
    ? [values.pair.split(',')]
    : [
        ['ringmq', values.version],
        [values.version, 'ringmq'],
      ];
  const ends = (['stop', 'kill'] as const).filter(end => values.end === 'both' || values.end === end);
  for (const [writer, reader] of pairs as [string, string][]) {
    for (const end of ends) {
      console.log(`${writer} writes, ${end}, ${reader} reads`);
      const result = await runRoundTrip({
        writer: launchersNamed(writer),
        reader: launchersNamed(reader),
        end,
        count: wholeNumber(values, 'count', 1),
        seed: wholeNumber(values, 'seed', 0),
        segmentBytes: wholeNumber(values, 'segment-mib', 1) * MiB,
        log: line => console.log(line),
      });
      console.log(formatRoundTrip(result));
      if (result.faultCount > 0) process.exitCode = 1;
    }
  }
}

runAsProgram(import.meta.filename, main);
