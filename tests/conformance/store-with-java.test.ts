// @limit 600
/** The round trip of a store in small; `node dist/tests/conformance/store-with-java.js` is the long one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../runtime/base/units.js';
import { javaLaunchers } from '../support/java.js';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { formatRoundTrip, runRoundTrip } from './store-round-trip.js';

const store = suite('store with Java');

for (const version of ['3.2.6', '4.9.7']) {
  for (const end of ['stop', 'kill'] as const) {
    for (const javaWrites of [false, true]) {
      const title = javaWrites ? `Java ${version} writes, RingMQ reads` : `RingMQ writes, Java ${version} reads`;
      store(`${title}, after a ${end}`, async () => {
        const java = javaLaunchers(version);
        if (typeof java === 'string') return skip(java);
        const ringmq = ringmqLaunchers();
        if (!ringmq) return skip('bin/mqnamesrv and bin/mqbroker are not there');
        const [writer, reader] = javaWrites ? [java, ringmq] : [ringmq, java];
        const options = { end, count: 2000, seed: 1, segmentBytes: 4 * MiB, log: console.log };
        const result = await runRoundTrip({ writer, reader, ...options });
        assert.is(result.faultCount, 0, formatRoundTrip(result));
      });
    }
  }
}

store.run();
