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
import { type Path, pathsOf, stateOf, type Table, walkPath } from '../../../support/machine-walk.js';

/** A log that keeps the transitions that were told of: "init -> loading by LOCKED". */
class TransitionLog {
  readonly lines: string[] = [];
  readonly logger = {
    debug: ({ from, to, cause }: { from: string; to: string; cause: string }): void => {
      this.lines.push(`${from} -> ${to} by ${cause}`);
    },
  } as unknown as Logger;
}

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
  { type: 'SERVE' },
  { type: 'SHUT_DOWN' },
  { type: 'STOPPED' },
  { type: 'FAIL', reason: 'a crash' },
];

const roleTable = (role: 'master' | 'slave'): Table => ({
  starting: { RECOVER: 'recovering', SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  recovering: { SERVE: role, SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  [role]: { SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  shuttingDown: { STOPPED: 'stopped', FAIL: 'failed' },
  failed: { SHUT_DOWN: 'shuttingDown' },
  stopped: {},
});
const roles = ['master', 'slave'] as const;

/** What the shared word would say of sends. */
class Sends {
  state: 'open' | 'closed' | 'refused by a slave' | undefined;
  readonly isSlave: boolean;

  constructor(role: 'master' | 'slave') {
    this.isSlave = role === 'slave';
  }

  openSends = (): void => {
    this.state = 'open';
  };
  closeSends = (): void => {
    this.state = 'closed';
  };
  serveAsSlave = (): void => {
    this.state = 'refused by a slave';
  };
}

function rolePaths(role: 'master' | 'slave'): Path<BrokerRoleEvent>[] {
  return pathsOf<BrokerRoleEvent>(
    getShortestPaths(brokerRoleMachine, {
      input: new Sends(role),
      events: [...roleEvents],
      serializeState: snapshot => stateOf(snapshot),
    }),
  );
}

for (const role of roles) {
  machines(`${role}: every shortest path goes where the table says, and its end knows only its own events`, () => {
    const table = roleTable(role);
    const paths = rolePaths(role);
    assert.equal(paths.map(path => path.end).sort(), Object.keys(table).sort());
    for (const path of paths) {
      walk(
        path,
        table,
        roleEvents,
        log => startBrokerRole(new Sends(role), log),
        () => {},
      );
    }
  });

  machines(`${role}: sends are taken by a master and by nobody else, on every path`, () => {
    let serving = 0;
    for (const path of rolePaths(role)) {
      let sends = new Sends(role);
      const start = (log: Logger): Life<BrokerRoleEvent> => {
        sends = new Sends(role);
        return startBrokerRole(sends, log);
      };
      walk(path, roleTable(role), roleEvents, start, life => {
        assert.is(sends.state === 'open', life.state === 'master', life.state);
        assert.is(sends.state === 'refused by a slave', life.state === 'slave', life.state);
        if (life.state === role) serving++;
      });
    }
    assert.ok(serving > 0, `a path led to a ${role}`);
  });
}

machines.run();
