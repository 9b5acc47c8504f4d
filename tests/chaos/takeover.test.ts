/** Two consumers share the queues of a topic; one is killed and the other one goes on where it ended. */
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientCluster, eventually, freshName } from '../support/client-cluster.js';
import { ringmqLaunchers } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { startProcess } from './churn.js';
import { ChurnMember, type MemberOptions, REBALANCE_INTERVAL_MS, readJournal } from './churn-member.js';

const takeover = suite('takeover');

const QUEUES = 6;
const MESSAGES = 300;

takeover('a consumer that is killed is replaced within the rebalance of the one that stays', async () => {
  const launchers = ringmqLaunchers();
  if (!launchers) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  const cluster = await ClientCluster.start(launchers, {});
  const topic = await cluster.createTopic(QUEUES);
  const consumerGroup = freshName('CG');
  const optionsOf = (member: string): MemberOptions => {
    const journal = path.join(cluster.folder, `${member}.journal`);
    return { namesrvAddr: cluster.namesrvAddr, consumerGroup, topic, order: false, member, journal, listenerMaxMs: 2 };
  };
  const staying = new ChurnMember(optionsOf('staying'));
  let dying: Awaited<ReturnType<typeof startProcess>> | undefined;
  try {
    await staying.start();
    dying = await startProcess(optionsOf('dying'));
    await eventually(() => staying.queueCount === QUEUES / 2, 'the first one to give half of the queues away');
    const consumedBy = (member: string): Set<string> =>
      new Set(
        readJournal(optionsOf(member).journal, member)
          .filter(({ endNs }) => endNs !== undefined)
          .map(({ id }) => id),
      );
    const producer = await cluster.producer();
    const ids = Array.from({ length: MESSAGES }, (_, index) => `id${index}`);
    for (const id of ids) {
      await producer.send({ topic, body: id });
      if (id === `id${MESSAGES / 2}`) {
        await eventually(() => consumedBy('dying').size > 0, 'the second one to consume');
        await dying.kill!();
        await eventually(
          () => staying.queueCount === QUEUES,
          'the first one to have all queues',
          REBALANCE_INTERVAL_MS,
        );
      }
    }
    await eventually(
      () => new Set([...consumedBy('dying'), ...consumedBy('staying')]).size === MESSAGES,
      'all messages',
    );
    assert.ok(consumedBy('staying').has(ids.at(-1)!), 'what came afterwards as well');
  } finally {
    await staying.leave();
    await dying?.kill?.();
    await cluster.end();
  }
});

takeover.run();
