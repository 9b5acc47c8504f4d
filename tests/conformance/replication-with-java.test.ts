// @limit 900
/**
 * A Java slave of a RingMQ master and the other way round, in small: killed both, what is acknowledged is on the slave,
 * byte for byte, over several files. `node dist/tests/conformance/mixed-pairs.js` is the long one.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { javaLaunchers } from '../support/java.js';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatPairRun, runPair } from './pair-run.js';

const replication = suite('replication with Java');

const common = {
  role: 'SYNC_MASTER',
  count: 5000,
  seed: 1,
  events: ['kill slave', 'kill master'],
  segmentBytes: MiB,
  keep: false,
  log: (line: string) => console.log(line),
} as const;

for (const version of ['3.2.6', '4.9.7']) {
  for (const javaIsMaster of [false, true]) {
    const title = javaIsMaster ? `RingMQ follows Java ${version}` : `Java ${version} follows RingMQ`;
    replication(title, async () => {
      const java = javaLaunchers(version);
      if (typeof java === 'string') return skip(java);
      const ringmq = ringmqLaunchers();
      if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
      const [master, slave] = javaIsMaster ? [java, ringmq] : [ringmq, java];
      const result = await runPair({ ...common, master, slave });
      assert.is(result.faultCount, 0, formatPairRun(result));
      assert.ok(result.report.acknowledged >= common.count);
      assert.ok(result.logs.bytes > 3 * MiB);
    });
  }
}

replication.run();
