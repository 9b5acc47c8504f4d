/**
 * RingMQ and Java as master and slave of each other; pair-run.ts says what happens and what is checked.
 *
 *   RINGMQ_REFERENCE=… node dist/tests/conformance/mixed-pairs.js --count 100000 --seed 1
 *   RINGMQ_REFERENCE=… node dist/tests/conformance/mixed-pairs.js --version 4.9.7 --master ringmq --role sync
 */
import { parseArgs } from 'node:util';
import { MiB } from '../../runtime/base/units.js';
import { launchersNamed, runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import { drawEvents, formatPairRun, type PairRunOptions, type PairRunResult, type Plant, runPair } from './pair-run.js';

const usage = `usage: mixed-pairs [options]
  --version 3.2.6,4.9.7        Java versions; "ringmq" makes a pair of RingMQ alone
  --master ringmq|java|both, --role sync|async|both
  --count 100000, --rounds 1 (each is one stop and one kill of master and of slave), --segment-mib 16, --seed 1
  --plant loss|byte            makes a fault that the checks have to find (loss: --role async)
  --keep                       keep stores and logs when something was wrong`;

/** One of the words an option takes. Errors: Error that names them. */
function oneOf<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const word = words.find(allowed => allowed === value);
  if (word === undefined) throw new Error(`--${name} takes ${words.join(', ')}; it is ${value}`);
  return word;
}

const columns =
  '| pair (master, slave) | role | acknowledged | restarts | lost | duplicates | log bytes compared | differing bytes | ' +
  'read from the slave |';

/** A row of the table. */
export function formatRow(pair: string, role: PairRunOptions['role'], result: PairRunResult): string {
  const { report, logs, restarts } = result;
  const duplicates = report.faults.repeated.length + report.faults.reused.length;
  const numbers = [report.acknowledged, restarts, report.faults.lost.length, duplicates];
  return `| ${[pair, role, ...numbers, logs.bytes, logs.differing, report.read].join(' | ')} |`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: '3.2.6,4.9.7' },
      master: { type: 'string', default: 'both' },
      role: { type: 'string', default: 'both' },
      count: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '1' },
      'segment-mib': { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      plant: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const seed = wholeNumber(values, 'seed', 0);
  const common = {
    count: wholeNumber(values, 'count', 1),
    seed,
    events: drawEvents(seed, wholeNumber(values, 'rounds', 0)),
    segmentBytes: wholeNumber(values, 'segment-mib', 1) * MiB,
    ...(values.plant === undefined ? {} : { plant: oneOf<Plant>('plant', values.plant, ['loss', 'byte']) }),
    keep: values.keep,
    log: (line: string) => console.log(line),
  };
  const master = oneOf('master', values.master, ['ringmq', 'java', 'both']);
  const role = oneOf('role', values.role, ['sync', 'async', 'both']);
  const roles = (['SYNC_MASTER', 'ASYNC_MASTER'] as const).filter(
    name => role === 'both' || name === `${role.toUpperCase()}_MASTER`,
  );
  const rows: string[] = [];
  for (const version of values.version.split(',')) {
    const pairs = [
      ...(master === 'java' ? [] : [['ringmq', version]]),
      ...(master === 'ringmq' ? [] : [[version, 'ringmq']]),
    ] as [string, string][];
    for (const [ofMaster, ofSlave] of pairs) {
      const [masterOf, slaveOf] = [launchersNamed(ofMaster), launchersNamed(ofSlave)];
      const pair = `${masterOf.name}, ${slaveOf.name}`;
      for (const name of roles) {
        const startMs = performance.now();
        const result = await runPair({ ...common, master: masterOf, slave: slaveOf, role: name });
        rows.push(formatRow(pair, name, result));
        const seconds = Math.round((performance.now() - startMs) / 1000);
        console.log(`${pair}, ${name}: ${result.faultCount} faults, ${seconds} s; ${formatPairRun(result)}`);
        if (result.faultCount > 0) process.exitCode = 1;
      }
    }
  }
  console.log([columns, columns.replace(/[^|]+/g, '---'), ...rows].join('\n'));
}

runAsProgram(import.meta.filename, main);
