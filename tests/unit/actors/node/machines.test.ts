/**
 * Every shortest path through the life of a store and the role of a broker, and what every state makes of every event.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EventObject } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { type BrokerRoleEvent, brokerRoleMachine } from '../../../../actors/node/broker-role.machine.js';
import { type Life, startBrokerRole, startStoreLife } from '../../../../actors/node/life.js';
import { type StoreEvent, storeLifecycleMachine } from '../../../../actors/node/store-lifecycle.machine.js';
import type { Logger } from '../../../../runtime/log/contract.js';
import { type Path, pathsOf, stateOf, type Table, TransitionLog, walkPath } from '../../../support/machine-walk.js';

/**
 * Walks a path step by step against the table and then tries every event at its end; `check` looks at each state
 * entered. What was logged of the transitions is compared too.
 */
function walk<Event extends EventObject>(
  path: Path<Event>,
  table: Table,
  events: readonly Event[],
  start: (log: Logger) => Life<Event>,
  check: (life: Life<Event>) => void,
): void {
  let log = new TransitionLog();
  let expected: string[] = [];
  const begin = (): Life<Event> => {
    log = new TransitionLog();
    expected = [];
    return start(log.logger);
  };
  walkPath(path, table, events, begin, (life, from, event) => {
    if (event !== undefined && from !== life.state) expected.push(`${from} -> ${life.state} by ${event.type}`);
    assert.equal(log.lines, expected);
    check(life);
  });
}

const machines = suite('machines of a node');

const storeEvents: readonly StoreEvent[] = [
  { type: 'LOCKED' },
  { type: 'LOADED', clean: true },
  { type: 'LOADED', clean: false },
  { type: 'RECOVERED' },
  { type: 'CLOSE' },
  { type: 'CLOSED', clean: true },
  { type: 'CORRUPT', reason: 'a gap' },
  { type: 'GIVEN_UP', reason: 'locked by another' },
];

const storeTable: Table = {
  init: { LOCKED: 'loading', GIVEN_UP: 'closed' },
  loading: { LOADED: 'recovering', CORRUPT: 'corrupt', GIVEN_UP: 'closed' },
  recovering: { RECOVERED: 'running', CORRUPT: 'corrupt', GIVEN_UP: 'closed' },
  running: { CLOSE: 'closing' },
  closing: { CLOSED: 'closed' },
  closed: {},
  corrupt: {},
};

machines('store: every shortest path goes where the table says, and its end knows only its own events', () => {
  const paths = pathsOf<StoreEvent>(getShortestPaths(storeLifecycleMachine, { events: [...storeEvents] }));
  assert.equal(paths.map(path => path.end).sort(), Object.keys(storeTable).sort());
  for (const path of paths) walk(path, storeTable, storeEvents, startStoreLife, () => {});
});

machines('store: nothing runs that was not locked, loaded and recovered, in this order', () => {
  const paths = pathsOf<StoreEvent>(getShortestPaths(storeLifecycleMachine, { events: [...storeEvents] }));
  const running = paths.find(path => path.end === 'running');
  assert.equal(
    running?.events.map(event => event.type),
    ['LOCKED', 'LOADED', 'RECOVERED'],
  );
});

const roleEvents: readonly BrokerRoleEvent[] = [
  { type: 'RECOVER' },
  { type: 'SERVE_AS_MASTER' },
  { type: 'SERVE_AS_SLAVE' },
  { type: 'PROMOTE', reason: 'asked' },
  { type: 'DEMOTE', reason: 'asked' },
  { type: 'REJOIN', reason: 'a longer log' },
  { type: 'KEEP', reason: 'a message would be lost' },
  { type: 'SHUT_DOWN' },
  { type: 'STOPPED' },
  { type: 'FAIL', reason: 'a crash' },
];

const end = { SHUT_DOWN: 'shuttingDown', FAIL: 'failed' };

const roleTable: Table = {
  starting: { RECOVER: 'recovering', ...end },
  recovering: { SERVE_AS_MASTER: 'master', SERVE_AS_SLAVE: 'slave', ...end },
  slave: { PROMOTE: 'promoting', REJOIN: 'rejoining', ...end },
  rejoining: { RECOVER: 'recovering', KEEP: 'slave', ...end },
  promoting: { RECOVER: 'recovering', KEEP: 'slave', ...end },
  master: { DEMOTE: 'demoting', ...end },
  demoting: { RECOVER: 'recovering', KEEP: 'master', ...end },
  shuttingDown: { STOPPED: 'stopped', FAIL: 'failed' },
  failed: { SHUT_DOWN: 'shuttingDown' },
  stopped: {},
};

/** What the shared word would say of sends. */
class Sends {
  state: 'open' | 'closed' | 'refused as by a slave' | undefined;

  openSends = (): void => {
    this.state = 'open';
  };
  closeSends = (): void => {
    this.state = 'closed';
  };
  serveAsSlave = (): void => {
    this.state = 'refused as by a slave';
  };
}

/** Where producers hear that they must go elsewhere. */
const sendsElsewhere: readonly string[] = ['slave', 'promoting', 'rejoining', 'demoting'];

function rolePaths(): Path<BrokerRoleEvent>[] {
  const graph = getShortestPaths(brokerRoleMachine, {
    input: new Sends(),
    events: [...roleEvents],
    serializeState: snapshot => stateOf(snapshot),
  });
  return pathsOf<BrokerRoleEvent>(graph);
}

machines('role: every shortest path goes where the table says, and its end knows only its own events', () => {
  const paths = rolePaths();
  assert.equal(paths.map(path => path.end).sort(), Object.keys(roleTable).sort());
  const start = (log: Logger): Life<BrokerRoleEvent> => startBrokerRole(new Sends(), log);
  for (const path of paths) walk(path, roleTable, roleEvents, start, () => {});
});

machines('role: sends are taken by a master and by nobody else, on every path, also through changes of role', () => {
  let sends = new Sends();
  const start = (log: Logger): Life<BrokerRoleEvent> => {
    sends = new Sends();
    return startBrokerRole(sends, log);
  };
  const seen = new Set<string>();
  const check = (life: Life<BrokerRoleEvent>): void => {
    assert.is(sends.state === 'open', life.state === 'master', life.state);
    assert.is(sends.state === 'refused as by a slave', sendsElsewhere.includes(life.state), life.state);
    seen.add(life.state);
  };
  const paths = rolePaths();
  // And one that goes through whole changes of role, there and back.
  const toMaster = paths.find(path => path.end === 'master')!;
  const there: BrokerRoleEvent[] = [{ type: 'DEMOTE', reason: '' }, { type: 'RECOVER' }, { type: 'SERVE_AS_SLAVE' }];
  const back: BrokerRoleEvent[] = [{ type: 'PROMOTE', reason: '' }, { type: 'RECOVER' }, { type: 'SERVE_AS_MASTER' }];
  const roundTrip = { events: [...toMaster.events, ...there, ...back], end: 'master' };
  for (const path of [...paths, roundTrip]) walk(path, roleTable, roleEvents, start, check);
  assert.equal([...seen].sort(), Object.keys(roleTable).sort());
});

machines.run();
