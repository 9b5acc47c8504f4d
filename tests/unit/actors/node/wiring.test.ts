/** The architecture as data keeps its promises: one producer and one consumer a ring, one writer a position. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allocateMemory, Workshop } from '../../../../actors/node/memory.js';
import { planThreads } from '../../../../actors/node/thread-plan.js';
import {
  type ActorKind,
  actorKinds,
  drawWiring,
  planActors,
  planRings,
  positionTable,
  ringSizes,
  ringTable,
} from '../../../../actors/node/wiring.js';
import { positionNames } from '../../../../runtime/memory/positions.js';

const wiring = suite('actors/node/wiring');

const kinds = Object.keys(actorKinds) as ActorKind[];
const full = { broker: true, nameRegistry: true, sendLanes: 3, pullLanes: 2, telemetry: true };

wiring('a pair of actors has one ring each way at most', () => {
  const pairs = ringTable.map(({ from, to }) => `${from}>${to}`);
  assert.is(new Set(pairs).size, pairs.length);
  assert.ok(ringTable.every(({ from, to }) => from !== to));
  assert.ok(ringTable.every(({ from, to }) => kinds.includes(from) && kinds.includes(to)));
});

wiring('a position has one writer, which does not follow it', () => {
  const names = positionTable.map(({ name }) => name);
  assert.is(new Set(names).size, names.length);
  assert.ok(names.every(name => positionNames.includes(name)));
  for (const { writer, followers } of positionTable) assert.not.ok(followers.includes(writer));
});

wiring('every lane has a ring of its own on each way', () => {
  const actors = planActors(full);
  assert.is(actors.length, kinds.length + 3);
  assert.equal(
    actors.filter(({ kind }) => kind === 'send-lane').map(({ name }) => name),
    ['send-lane-0', 'send-lane-1', 'send-lane-2'],
  );
  const rings = planRings(actors);
  assert.is(new Set(rings.map(({ id }) => id)).size, rings.length);
  const ids = rings.map(({ id }) => id);
  for (const id of [
    'remoting>send-lane-2',
    'send-lane-0>commit-log-writer',
    'dispatcher>pull-lane-1',
    'coordinator>flush-service',
  ]) {
    assert.ok(ids.includes(id), id);
  }
  assert.is(rings.filter(({ row }) => row.from === 'send-lane' && row.to === 'commit-log-writer').length, 3);
});

wiring('a process without a broker has no rooms for one', () => {
  const actors = planActors({ ...full, broker: false });
  assert.equal(actors.map(({ name }) => name).sort(), ['name-registry', 'remoting']);
  assert.equal(
    planRings(actors).map(({ id }) => id),
    ['remoting>name-registry', 'name-registry>remoting'],
  );
  const alone = planActors({ ...full, nameRegistry: false });
  assert.not.ok(alone.some(({ kind }) => kind === 'name-registry'));
});

wiring('the telemetry room is there only where it is wanted', () => {
  const { telemetry: _, ...without } = full;
  const actors = planActors(without);
  assert.not.ok(actors.some(({ kind }) => kind === 'telemetry'));
  assert.not.ok(planRings(actors).some(({ to }) => to === 'telemetry'));
});

wiring('memory is made once for each ring, bell and counter, and seen as one object on a thread', () => {
  const actors = planActors(full);
  const plan = planThreads(actors, 'shared', 'test');
  const memory = allocateMemory(actors, planRings(actors), plan, 128 * 1024);
  const shop = new Workshop(memory);
  assert.is(shop.ring('remoting', 'send-lane-1'), shop.ring('remoting', 'send-lane-1'));
  assert.is(shop.ring('remoting', 'send-lane-1').capacity, 128 * 1024);
  assert.is(shop.ring('commit-log-writer', 'remoting').capacity, ringSizes.medium);
  assert.is(shop.ring('dispatcher', 'pull-lane-0').capacity, ringSizes.small);
  assert.is(shop.bell('send-lane-0'), shop.bell('commit-log-writer'), 'the actors of a thread are woken together');
  assert.is.not(shop.bell('send-lane-0'), shop.bell('remoting'));
  assert.equal([shop.hasRing('remoting', 'send-lane-0'), shop.hasRing('send-lane-0', 'dispatcher')], [true, false]);
  const elsewhere = new Workshop(structuredClone({ ...memory, rings: {}, bells: {}, counters: {} }) as never);
  assert.equal(elsewhere.memory.threadOf, memory.threadOf);
  shop.ring('remoting', 'send-lane-0').offer(1, Uint8Array.from([5]));
  assert.ok(new Workshop(memory).ring('remoting', 'send-lane-0').poll() >= 0);
});

wiring('the drawing shows every ring and every position', () => {
  const drawing = drawWiring();
  for (const { from, to, carries } of ringTable) assert.ok(drawing.includes(`${from} -- "${carries}" --> ${to}`));
  for (const { name, writer, followers } of positionTable) {
    for (const follower of followers) assert.ok(drawing.includes(`${writer} -. ${name} .-> ${follower}`));
  }
});

wiring.run();
