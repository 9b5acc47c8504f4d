/** Recordings of a broker and its slaves: which brokers are asked, and their clocks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clockRemark, fetchSlave, onSlaves, tracedGroup } from '../../../cli/recordings.js';
import { encodeBody } from '../../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../../protocol/codes.js';
import { createResponse } from '../../../protocol/command.js';
import { traceNowMs } from '../../../runtime/trace/recorder.js';
import { FakeBroker } from '../../support/fake-broker.js';

const recordings = suite('cli/recordings');
const aheadMs = 5000;

/** Answers as a broker does whose clock is ahead by so much, with one event. */
async function brokerAhead(byMs: number, eventMs: number): Promise<FakeBroker> {
  const broker = await FakeBroker.listen();
  return broker.on(RequestCode.RINGMQ_GET_TRACE, request => {
    const body = encodeBody({ 'ha-receiver': [[eventMs, 'received', 0, 4096, 0, 0]] });
    return createResponse(request, ResponseCode.SUCCESS, null, { leftOut: 2, nowMs: traceNowMs() + byMs }, body);
  });
}

const placeOf = (address: string, brokerId: number, brokerName = 'broker-a') => ({
  clusterName: 'C',
  brokerName,
  brokerId,
  address,
});

for (const [what, byMs, expectedMs] of [
  ['of a slave whose clock is ahead are moved back', aheadMs, 1_000_000],
  ['of a slave with the same clock stay as they are', 0, 1_000_000 + aheadMs],
] as const) {
  recordings(`times ${what}`, async () => {
    const master = await brokerAhead(0, 0);
    const slave = await brokerAhead(byMs, 1_000_000 + aheadMs);
    try {
      const place = placeOf(slave.address, 1);
      const fetched = await fetchSlave(master.address, place, 0);
      const { recording, moved, leftOut, clock } = fetched;
      const [event] = recording['ha-receiver']!;
      assert.is(leftOut, 2);
      assert.is(moved, byMs !== 0);
      assert.ok(Math.abs(clock.aheadMs - byMs) <= clock.boundMs, JSON.stringify(clock));
      assert.ok(Math.abs(event!.timeMs - expectedMs) <= clock.boundMs);
      assert.match(
        clockRemark(fetched),
        moved ? /ms ahead, give or take .* its times are moved/ : /is the same within/,
      );
    } finally {
      await master.close();
      await slave.close();
    }
  });
}

recordings('a slave that does not trace is left out, and that is said', async () => {
  const slave = await FakeBroker.listen();
  try {
    const { done, faults } = await onSlaves([placeOf(slave.address, 1)], async ({ address }) =>
      fetchSlave(address, placeOf(address, 1), 0),
    );
    assert.equal(done, []);
    assert.is(faults.length, 1);
    assert.match(faults[0]!, /^the slave 127\.0\.0\.1:\d+ is left out: it answered .*not supported|code 12002/i);
  } finally {
    await slave.close();
  }
});

recordings(
  'the master is meant by its name, or by nothing where there is only one name; slaves are of that name',
  () => {
    const info = {
      clusterAddrTable: { C: ['broker-a'] },
      brokerAddrTable: {
        'broker-a': { cluster: 'C', brokerName: 'broker-a', brokerAddrs: { '0': 'm:1', '1': 's:1' } },
      },
    };
    for (const named of [undefined, 'broker-a', 'm:1']) {
      const { broker, slaves } = tracedGroup(info, named);
      assert.is(broker.address, 'm:1');
      assert.equal(
        slaves.map(({ address }) => address),
        ['s:1'],
      );
    }
    const { broker, slaves } = tracedGroup(info, 's:1');
    assert.is(broker.address, 's:1');
    assert.equal(slaves, []);
    assert.equal(tracedGroup(info, 'elsewhere:9').slaves, [], 'a broker the name server does not know');
  },
);

recordings.run();
