/** What a broker counts, asked for over its port in every threading mode. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerReport } from '../../../../actors/node/broker-report.js';
import { ReportChange } from '../../../../actors/node/report-change.js';
import { frameOf, sendFrame } from '../../../support/rooms.js';
import { type TestWorld, type Wire, withNode } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const report = suite('actors/node/broker-report');
const GET_REPORT = 12_003;

async function readReport(wire: Wire): Promise<BrokerReport> {
  const { code, body } = await wire.ask(frameOf(GET_REPORT, {}));
  assert.is(code, 0);
  return JSON.parse(new TextDecoder().decode(body!)) as BrokerReport;
}

const modes: readonly [BrokerReport['threadingMode'], number, readonly string[]][] = [
  ['inline', 1, ['main']],
  ['shared', 1, ['messages', 'main', 'followers']],
  ['dedicated', 2, ['send-lane-0', 'send-lane-1', 'remoting', 'coordinator', 'flush-service']],
];

for (const [threadingMode, sendLanes, threads] of modes) {
  const set = { threadingMode, lanesMax: '2', sendMessageThreadPoolNums: '2', pullMessageThreadPoolNums: '1' };
  report(`lanes, threads and what they did: ${threadingMode}`, () =>
    withNode({ set, real: threadingMode !== 'inline' }, async world => {
      const wire = await world.dial();
      const before = await readReport(wire);
      assert.is(before.threadingMode, threadingMode);
      assert.is(before.config.brokerName, 'broker-a');
      for (const thread of threads) assert.ok(before.threads[thread], thread);
      const count = 40;
      await sendAll(world, count);
      const change = new ReportChange(before, await readReport(wire));
      const lanes = change.lanes('send-lane');
      assert.is(lanes.length, sendLanes);
      const waited = Object.entries(change.after.waits).filter(([lane]) => lane.startsWith('send-lane'));
      const waits = waited.reduce((sum, [, { counts }]) => sum + counts.reduce((a, b) => a + b, 0), 0);
      assert.is(waits, count, 'each request waited once');
      assert.is(change.grown('commit-log-writer', 'messagesAppended'), count);
      for (const [actor, name] of [
        ['commit-log-writer', 'appendMs'],
        ['flush-service', 'flushMs'],
        ['commit-log-writer', 'busyMs'],
      ] as const)
        assert.ok(change.grown(actor, name) > 0, `${actor} ${name}`);
      assert.ok(lanes.some(lane => lane.busy > 0) && lanes.every(lane => lane.busy <= 1));
      assert.is(change.now('remoting', 'sendsInFlight'), 0);
      assert.ok(change.after.positions.appended > 0);
      // Threads with an event loop say how busy they are four times a second.
      await until(async () => {
        const later = new ReportChange(before, await readReport(wire));
        return later.grown(`thread:${later.threadOf('remoting')}`, 'threadBusyMs') > 0;
      }, 'the thread of the sockets counts');
    }),
  );
}

async function sendAll(world: TestWorld, count: number): Promise<void> {
  const wires = [await world.dial(), await world.dial()];
  for (let index = 0; index < count; index++) {
    const { code } = await wires[index % 2]!.ask(sendFrame({ topic: 'T', body: `message ${index}` }));
    assert.is(code, 0);
  }
}

report('sends that wait for the disk are seen while they wait, and counted where they were refused', () =>
  withNode({ set: { maxInflight: '4' } }, async world => {
    const wire = await world.dial();
    await wire.ask(sendFrame({ topic: 'T' }));
    const before = await readReport(wire);
    world.disk.faults.holdSyncs = true;
    const sender = await world.dial();
    for (let index = 0; index < 6; index++) sender.write(sendFrame({ topic: 'T' }));
    await until(async () => {
      const now = await readReport(wire);
      return (now.counters.remoting?.sendsAwaitingFlush ?? 0) >= 4;
    }, 'all permits wait for the disk');
    const change = new ReportChange(before, await readReport(wire));
    assert.is(change.now('remoting', 'sendsInFlight'), 4);
    assert.is(change.grown('remoting', 'requestsRefused'), 2);
    world.repair();
    await sender.received(6);
    const after = await readReport(wire);
    assert.is(after.counters.remoting?.sendsAwaitingFlush ?? 0, 0);
  }),
);

report.run();
