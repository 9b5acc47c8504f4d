// @limit 400
/**
 * Java's mqadmin 4.9.7 against a RingMQ cluster says what it says against a Java cluster with the same in it.
 * `RINGMQ_REFERENCE` names the folder of the launchers `mqnamesrv` and `mqbroker`; `mqadmin-cases.ts` has the cases.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaLaunchers } from '../support/java.js';
import { MqadminRig } from '../support/mqadmin-rig.js';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { mqadminSections } from './mqadmin-cases.js';

const VERSION = '4.9.7';
const mqadmin = suite(`mqadmin ${VERSION} against Java and RingMQ`);
const commands = mqadminSections.flatMap(section => section.commands);

let rig: MqadminRig | undefined;
let reason = '';

mqadmin.before(async () => {
  const java = javaLaunchers(VERSION);
  const ringmq = ringmqLaunchers();
  if (typeof java === 'string') reason = java;
  else if (ringmq === undefined) reason = 'bin/mqnamesrv and bin/mqbroker are not there';
  else rig = await MqadminRig.start(VERSION, java, ringmq);
});

mqadmin.after(() => rig?.end());

mqadmin('the program has the commands of the cases, and no others', async () => {
  if (rig === undefined) return skip(reason);
  const { out } = await rig.mqadmin.run([]);
  const listed = [...out.matchAll(/^ {3}(\w+) /gm)].map(([, name]) => name!);
  assert.ok(listed.length > 50, out);
  assert.equal(commands.map(({ command }) => command).sort(), listed.sort());
});

for (const { command, runs } of commands) {
  mqadmin(command, async () => {
    if (rig === undefined) return skip(reason);
    assert.ok(
      runs.some(({ call }) => call.split(' ')[0] === command),
      'it is tried',
    );
    const faults: string[] = [];
    for (const run of runs) {
      const found = await rig.compare(run);
      faults.push(...found.map(fault => `mqadmin ${run.call}: ${fault}`));
    }
    assert.is(faults.join('\n'), '');
  });
}

mqadmin.run();
