import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  chooseMode,
  MAIN_THREAD,
  needsEventLoop,
  planThreads,
  type ThreadingMode,
} from '../../../../actors/node/thread-plan.js';
import { planActors } from '../../../../actors/node/wiring.js';

const plan = suite('actors/node/thread-plan');

const actors = planActors({ broker: true, nameRegistry: true, sendLanes: 2, pullLanes: 2 });
const threads = (mode: ThreadingMode): Record<string, string[]> =>
  Object.fromEntries(
    [...planThreads(actors, mode, 'test').threads].map(([thread, group]) => [thread, group.map(({ name }) => name)]),
  );

plan('inline: everybody on the main thread, in the order of a request', () => {
  assert.equal(threads('inline'), {
    [MAIN_THREAD]: [
      'ha-receiver',
      'send-lane-0',
      'send-lane-1',
      'commit-log-writer',
      'ha-sender',
      'flush-service',
      'pull-lane-0',
      'pull-lane-1',
      'transaction-checker',
      'forwarder',
      'coordinator',
      'name-registry',
      'remoting',
      'dispatcher',
      'scheduler',
    ],
  });
});

plan('shared: sockets, messages and syncs apart', () => {
  const groups = threads('shared');
  assert.equal(Object.keys(groups).sort(), ['followers', MAIN_THREAD, 'messages'].sort());
  assert.equal([...groups[MAIN_THREAD]!].sort(), [
    'coordinator',
    'forwarder',
    'ha-receiver',
    'ha-sender',
    'name-registry',
    'remoting',
  ]);
  assert.equal(groups.followers, ['flush-service', 'transaction-checker', 'dispatcher', 'scheduler']);
  assert.is(groups.messages!.length, 5);
});

plan('dedicated: a thread each', () => {
  const groups = threads('dedicated');
  assert.is(Object.keys(groups).length, actors.length);
  for (const [thread, group] of Object.entries(groups)) assert.equal(group, [thread]);
});

plan('every mode runs every actor once', () => {
  const names = actors.map(({ name }) => name).sort();
  for (const mode of ['inline', 'shared', 'dedicated'] as const)
    assert.equal(Object.values(threads(mode)).flat().sort(), names, mode);
});

plan('auto chooses by cores, and says why; a mode that was asked for stays', () => {
  assert.is(chooseMode('auto', 1).mode, 'inline');
  assert.is(chooseMode('auto', 2).mode, 'inline');
  assert.is(chooseMode('auto', 64).mode, 'shared');
  for (const mode of ['inline', 'shared', 'dedicated'] as const)
    assert.equal(chooseMode(mode, 1), { mode, reason: 'key threadingMode' });
  assert.match(chooseMode('auto', 2).reason, /2 cores/);
});

plan('sockets and timers need an event loop, lanes do not', () => {
  const of = (...kinds: string[]): boolean => needsEventLoop(actors.filter(({ kind }) => kinds.includes(kind)));
  assert.equal(
    [of('send-lane', 'commit-log-writer'), of('flush-service'), of('remoting'), of('coordinator', 'dispatcher')],
    [false, false, true, true],
  );
});

plan.run();
