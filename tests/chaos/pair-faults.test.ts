// @limit 300
/**
 * A short run of the rig that hurts pairs, with what needs no hosts of its own, and proof that it finds a loss;
 * `node dist/tests/chaos/pair-faults.js --cycles 100` is the long one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ringmqLaunchers } from '../support/node-process.js';
import { loopbackNetwork } from '../support/pair-network.js';
import { skip } from '../support/skip.js';
import { faultKinds } from './fault-kinds.js';
import { formatPairFaults, type PairFaultsOptions, runPairFaults } from './pair-faults.js';

const pairFaults = suite('faults of a pair under load');

const kinds = faultKinds.filter(({ needsRoom }) => !needsRoom);
const settings: Omit<PairFaultsOptions, 'launchers' | 'cycles'> = {
  seed: 5,
  connections: 2,
  window: 4,
  loadMs: 300,
  keep: false,
  log: console.log,
  mode: 'sync',
  flush: 'async',
  kinds,
  network: loopbackNetwork,
};

pairFaults(
  'what a SYNC_MASTER acknowledged is on its slave in every fault, and the slave catches up by itself',
  async () => {
    const launchers = ringmqLaunchers();
    if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
    const result = await runPairFaults({ launchers, ...settings, cycles: kinds.length });
    console.log(formatPairFaults(result));
    assert.equal(result.faults, []);
    assert.equal(
      result.rows.map(({ kind, cycles }) => [kind, cycles]),
      kinds.map(({ name }) => [name, 1]).sort(),
    );
    assert.ok(result.rows.every(({ acknowledged }) => acknowledged > 0));
  },
);

/** Damages, each as the master sees it after a good cycle, and what the rig must say. */
const plants: readonly { readonly what: string; readonly says: RegExp; readonly plant: PairFaultsOptions['plant'] }[] =
  [
    {
      what: 'the end of the slave is cut off',
      says: /the slave has nothing/,
      plant: pair => {
        const folder = pair.commitLog('slave');
        for (const name of fs.readdirSync(folder)) fs.truncateSync(path.join(folder, name), 2000);
      },
    },
    {
      what: 'a byte of the slave is another one',
      says: /is not that of the master/,
      plant: pair => {
        const file = path.join(pair.commitLog('slave'), fs.readdirSync(pair.commitLog('slave'))[0]!);
        const descriptor = fs.openSync(file, 'r+');
        fs.writeSync(descriptor, Buffer.from([0xff]), 0, 1, 4);
        fs.closeSync(descriptor);
      },
    },
    {
      what: 'an acknowledged message was never sent',
      says: /the slave has nothing/,
      plant: (_, { ledger }) => {
        ledger.attempt({ id: 'planted', topic: 'Faults_A', queueId: 0, hash: 'hash', connection: 0, phase: 1 });
        ledger.acknowledge('planted', 0, 1_000_000);
      },
    },
  ];

for (const { what, says, plant } of plants) {
  pairFaults(`the rig finds that ${what}`, async () => {
    const launchers = ringmqLaunchers();
    if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
    const log = (): void => {};
    const calm = { ...kinds[0]!, losesMaster: false, begin: () => async () => {} };
    const options = { launchers, ...settings, cycles: 1, kinds: [calm], log };
    const result = await runPairFaults({ ...options, ...(plant && { plant }) });
    assert.ok(
      result.faults.some(fault => says.test(fault)),
      result.faults.join('\n'),
    );
  });
}

pairFaults.run();
