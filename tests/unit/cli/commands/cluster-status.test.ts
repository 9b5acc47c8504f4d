// @limit 180
/** Masters and slaves in `ringmq cluster status`: of a real pair, and of servers that say what a test wants. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../../../protocol/codes.js';
import { createResponse } from '../../../../protocol/command.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import { withPair } from '../../../support/replica-pair.js';
import { until } from '../../../support/until.js';
import { runProgram } from '../support.js';

const status = suite('ringmq cluster status');

interface State {
  readonly brokerId: number;
  readonly role?: string;
  readonly commitLogMaxOffset?: number;
  readonly lagBytes?: number;
  readonly consumers?: number;
  readonly producers?: number;
}

async function statesOf(namesrvAddr: string): Promise<State[]> {
  const { code, out, err } = await runProgram('ringmq', ['cluster', 'status', '-n', namesrvAddr, '--json']);
  assert.is(code, 0, err);
  return JSON.parse(out) as State[];
}

status('a slave that has caught up is 0 bytes behind its master', () =>
  withPair({}, async pair => {
    await pair.send('T', 10);
    await pair.caughtUp();
    const { namesrvAddr } = pair;
    await until(async () => (await statesOf(namesrvAddr)).length === 2, 'both are registered', 30_000);
    const [master, slave] = await statesOf(namesrvAddr);
    assert.is(master?.role, 'ASYNC_MASTER');
    assert.is(master?.lagBytes, undefined);
    assert.ok(master!.commitLogMaxOffset! > 0);
    assert.is(slave?.role, 'SLAVE');
    assert.is(slave?.lagBytes, 0);
    const { out } = await runProgram('ringmq', ['cluster', 'status', '-n', namesrvAddr]);
    assert.match(out, / 1 +SLAVE +127\.0\.0\.1:\d+ +\d+ +0 B +\d+ +\d+$/m);
  }),
);

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A broker with this role and end of its log; an old one does not tell its producers. */
async function brokerOf(role: string, commitLogMaxOffset: number): Promise<FakeBroker> {
  const broker = await FakeBroker.listen();
  const groups = '{"subscriptionGroupTable":{"G":{"groupName":"G"},"H":{"groupName":"H"}}}';
  const members = '{"connectionSet":[{"clientId":"c@1"},{"clientId":"c@2"}]}';
  for (const [code, body] of [
    [RequestCode.GET_BROKER_CONFIG, `brokerRole=${role}\n`],
    [RequestCode.GET_BROKER_RUNTIME_INFO, `{"table":{"commitLogMaxOffset":"${commitLogMaxOffset}"}}`],
    [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, groups],
    [RequestCode.GET_CONSUMER_CONNECTION_LIST, members],
  ] as const) {
    broker.on(code, request => createResponse(request, 0, null, {}, encode(body)));
  }
  return broker;
}

status('the lag is in bytes, clients count once, and a broker that is gone is a line', async () => {
  const [master, slave] = [await brokerOf('SYNC_MASTER', 5000), await brokerOf('SLAVE', 1928)];
  try {
    const addresses = `{0:"${master.address}",1:"${slave.address}",2:"127.0.0.1:1"}`;
    const info = `{"brokerAddrTable":{"a":{"brokerName":"a","cluster":"C","brokerAddrs":${addresses}}},"clusterAddrTable":{"C":["a"]}}`;
    master.on(RequestCode.GET_BROKER_CLUSTER_INFO, request => createResponse(request, 0, null, {}, encode(info)));
    const [first, second, third] = await statesOf(master.address);
    assert.is(first?.role, 'SYNC_MASTER');
    assert.is(first?.consumers, 2);
    assert.is(first?.producers, undefined);
    assert.is(second?.lagBytes, 3072);
    assert.is(third?.role, undefined);
    const { code, out } = await runProgram('ringmq', ['cluster', 'status', '-n', master.address]);
    assert.is(code, 0);
    assert.match(out, /SLAVE .* 1928 +3\.0 KiB +2 +-$/m);
    assert.match(out, / 2 +no answer +127\.0\.0\.1:1 +- +- +- +-$/m);
  } finally {
    await master.close();
    await slave.close();
  }
});

status.run();
