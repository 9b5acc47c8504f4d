/** Which nodes `ringmq cluster up` starts, and with what. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { planCluster } from '../../../../cli/commands/cluster-up.js';

const up = suite('cli: cluster up');
const flags = { dir: '/tmp/try', namesrvPort: 21_000, port: 22_000 };

up('the name server first, masters before slaves, each with ports and a store of its own', () => {
  const nodes = planCluster('2m-2s-sync', flags);
  assert.equal(
    nodes.map(({ name, port }) => [name, port]),
    [
      ['namesrv', 21_000],
      ['broker-a', 22_000],
      ['broker-b', 22_010],
      ['broker-a-s', 22_020],
      ['broker-b-s', 22_030],
    ],
  );
  const words = nodes.at(-1)!.words.join(' ');
  for (const part of [
    'start 2m-2s-sync/broker-b-s',
    '--set listenPort=22030',
    '--set haListenPort=22031',
    '--set namesrvAddr=127.0.0.1:21000',
    '--set storePathRootDir=/tmp/try/broker-b-s',
  ]) {
    assert.ok(words.includes(part), part);
  }
});

up('without slaves there are three nodes', () => {
  assert.equal(
    planCluster('2m-noslave', flags).map(({ name }) => name),
    ['namesrv', 'broker-a', 'broker-b'],
  );
});

up.run();
