/** A node that traces: the way of a message through all actors, in every threading mode. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dumpRecorders } from '../../../../actors/node/flight-dump.js';
import type { Workshop } from '../../../../actors/node/memory.js';
import type { TraceBody } from '../../../../actors/node/trace-requests.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { TraceEvent } from '../../../../runtime/trace/events.js';
import { FlightRecorder, TraceSwitch } from '../../../../runtime/trace/recorder.js';
import {
  answeredAfterMs,
  type Hop,
  hopsOf,
  mergeRecording,
  type Recording,
} from '../../../../runtime/trace/timeline.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { pullQueue } from '../../../support/raw-requests.js';
import { frameOf, sendFrame } from '../../../support/rooms.js';
import { type TestWorld, type Wire, withNode } from '../../../support/test-node.js';

const trace = suite('actors/node/trace');
const [SET_TRACE, GET_TRACE] = [12_001, 12_002];

async function readRecording(wire: Wire): Promise<Recording> {
  const { body } = await wire.ask(frameOf(GET_TRACE, { sinceMs: 0 }));
  const rows = JSON.parse(new TextDecoder().decode(body!)) as TraceBody;
  return Object.fromEntries(
    Object.entries(rows).map(([actor, events]) => [
      actor,
      events.map(([timeMs, name, traceId, value, first, second]) => ({ timeMs, name, traceId, value, first, second })),
    ]),
  ) as Recording;
}

/** Sends one message and pulls it, as the first of its queue; the hops it took, once the dispatcher has seen it. */
async function traceOne(world: TestWorld, wire: Wire, queueId = 0, properties = ''): Promise<Hop[]> {
  const { extFields } = await wire.ask(sendFrame({ topic: 'T', queueId, properties, body: 'traced' }));
  const client = await world.connect();
  await pullQueue(client, 'T', queueId, () => {}, { untilOffset: 1, patienceMs: 10_000 });
  client.close();
  const physicalOffset = Number.parseInt(extFields.msgId!.slice(16), 16);
  return hopsOf(mergeRecording(await readRecording(wire)), physicalOffset);
}

for (const threadingMode of ['inline', 'shared', 'dedicated']) {
  trace(`each actor tells its part of the way: ${threadingMode}`, () =>
    withNode({ set: { threadingMode }, real: threadingMode !== 'inline' }, async world => {
      const wire = await world.dial();
      assert.is((await wire.ask(frameOf(SET_TRACE, { every: 1 }))).code, 0);
      const hops = await traceOne(world, wire);
      const labels = hops.map(({ label }) => label);
      for (const label of [
        'arrived',
        'taken by lane',
        'encoded by lane',
        'appended',
        'log written',
        'flushed',
        'dispatched',
        'answered',
        'pulled',
      ]) {
        assert.ok(labels.includes(label), `${label} is one of ${labels}`);
      }
      const order = (label: string): number => labels.indexOf(label);
      assert.ok(order('arrived') === 0 && order('arrived') < order('taken by lane'));
      assert.ok(order('encoded by lane') < order('appended') && order('appended') < order('flushed'));
      assert.ok(order('flushed') < order('answered'), 'SYNC_FLUSH answers behind the disk');
      assert.ok(answeredAfterMs(hops)! > 0);
    }),
  );

  trace(`a delayed message is followed to its copy, which other threads make: ${threadingMode}`, () =>
    withNode({ set: { threadingMode, messageDelayLevel: '1s' }, real: true }, async world => {
      const wire = await world.dial();
      await wire.ask(frameOf(SET_TRACE, { every: 1 }));
      const hops = await traceOne(world, wire, 1, 'DELAY\u00011');
      const labels = hops.map(({ label }) => label);
      const ofMessage = ['arrived', 'encoded to wait', 'appended', 'due', 'pulled'];
      assert.equal(
        labels.filter(label => ofMessage.includes(label)),
        ['arrived', 'encoded to wait', 'appended', 'due', 'appended', 'pulled'],
      );
    }),
  );
}

trace('switched off nothing is noted, and what was noted stays', () =>
  withNode({}, async world => {
    const wire = await world.dial();
    assert.equal(await traceOne(world, wire, 0), []);
    assert.is(Object.values(await readRecording(wire)).flat().length, 0);
    await wire.ask(frameOf(SET_TRACE, { every: 1 }));
    assert.ok((await traceOne(world, wire, 1)).length > 0);
    await wire.ask(frameOf(SET_TRACE, { every: 0 }));
    const before = Object.values(await readRecording(wire)).flat().length;
    assert.equal(await traceOne(world, wire, 2), []);
    assert.is(Object.values(await readRecording(wire)).flat().length, before);
    for (const every of ['-1', 'often', '1.5'])
      assert.is((await wire.ask(frameOf(SET_TRACE, { every }))).code, 1, every);
  }),
);

trace('a node that cannot go on leaves its last second behind', () => {
  const traceSwitch = new TraceSwitch();
  const recorder = new FlightRecorder(traceSwitch);
  const shop = { memory: { recorders: { remoting: recorder.memory } } } as unknown as Workshop;
  const disk = new MemoryDisk();
  dumpRecorders(disk, '/logs', shop, silentLogger, 0);
  assert.equal(disk.facts('/logs/flight-recording-1970-01-01T000000000Z.json'), undefined, 'nothing was traced');
  recorder.note(TraceEvent.flushed, 0, 4096);
  dumpRecorders(disk, '/logs', shop, silentLogger, 0);
  const text = disk.readText('/logs/flight-recording-1970-01-01T000000000Z.json');
  assert.match(text!, /"position":4096/);
});

trace.run();
