// @limit 300
/**
 * Push consumers, transactions and requests of our client against RingMQ and against Java 4.9.7. `RINGMQ_REFERENCE`
 * names the folder of the launchers `mqnamesrv` and `mqbroker`.
 */
import { suite } from 'uvu';
import { ClientCluster } from '../support/client-cluster.js';
import type { BrokerFeature } from '../support/client-scenario.js';
import { javaLaunchers } from '../support/java.js';
import { type Launchers, ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { consumptionScenarios } from './consumption-scenarios.js';
import { exampleScenarios } from './example-scenarios.js';
import { messageScenarios } from './message-scenarios.js';

const scenarios = [...consumptionScenarios, ...messageScenarios, ...exampleScenarios];

/** What RingMQ's broker serves. Whoever teaches it another feature adds the name here, and its scenarios run. */
const ringmqServes: ReadonlySet<BrokerFeature> = new Set([
  'consume',
  'retry',
  'lock',
  'delay',
  'transaction',
  'check',
  'reply',
  'sql92',
  'admin',
]);
const javaServes: ReadonlySet<BrokerFeature> = new Set(scenarios.flatMap(({ needs }) => needs));

/** Fast enough for a test; the defaults are a minute and 6 seconds. */
const settings = { transactionCheckInterval: '1000', transactionTimeOut: '1000', enablePropertyFilter: 'true' };

function register(make: string, launchers: Launchers | string, serves: ReadonlySet<BrokerFeature>): void {
  const consuming = suite(`consuming with ${make}`);
  let cluster: ClientCluster | undefined;
  consuming.before(async () => {
    if (typeof launchers !== 'string') cluster = await ClientCluster.start(launchers, settings);
  });
  consuming.after.each(async () => {
    await cluster?.endClients();
  });
  consuming.after(async () => {
    await cluster?.end();
  });
  for (const { title, needs, run } of scenarios) {
    consuming(title, async () => {
      const missing = needs.filter(feature => !serves.has(feature));
      if (cluster === undefined) skip(String(launchers));
      else if (missing.length > 0) skip(`${make} does not serve ${missing.join(' and ')} yet`);
      else await run(cluster);
    });
  }
  consuming.run();
}

register('RingMQ', ringmqLaunchers() ?? 'there are no launchers in bin/', ringmqServes);
register('Java 4.9.7', javaLaunchers('4.9.7'), javaServes);
