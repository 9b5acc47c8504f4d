/**
 * Every shortest path through the life of a store and the role of a broker, and what every state makes of every event.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EventObject, Snapshot } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { type BrokerRoleEvent, brokerRoleMachine } from '../../../../actors/node/broker-role.machine.js';
import { type Life, startBrokerRole, startStoreLife } from '../../../../actors/node/life.js';
import { type StoreEvent, storeLifecycleMachine } from '../../../../actors/node/store-lifecycle.machine.js';
import type { Logger } from '../../../../runtime/log/contract.js';

/** A path through a machine: its events in order, and where it ends. */
interface Path<Event> {
  readonly events: readonly Event[];
  readonly end: string;
}

/** What xstate/graph gives, as far as it is used here. */
interface GraphPath {
  readonly state: Snapshot<unknown>;
  readonly steps: readonly { readonly event: EventObject }[];
}

function pathsOf<Event>(paths: readonly GraphPath[]): Path<Event>[] {
  return paths.map(({ state, steps }) => ({
    // The first step only makes the machine.
    events: steps.slice(1).map(step => step.event as unknown as Event),
    end: stateOf(state),
  }));
}

function stateOf(snapshot: Snapshot<unknown>): string {
  return String((snapshot as { value?: unknown }).value);
}

/** A log that keeps the transitions that were told of: "init -> loading by LOCKED". */
class TransitionLog {
  readonly lines: string[] = [];
  readonly logger = {
    debug: ({ from, to, cause }: { from: string; to: string; cause: string }): void => {
      this.lines.push(`${from} -> ${to} by ${cause}`);
    },
  } as unknown as Logger;
}

/** Where each state goes by each event it knows; by any other it stays. */
type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Walks a path step by step against the table and then tries every event at its end; `check` looks at each state
 * entered.
 */
function walk<Event extends EventObject>(
  path: Path<Event>,
  table: Table,
  events: readonly Event[],
  start: (log: Logger) => Life<Event>,
  check: (life: Life<Event>) => void,
): void {
  for (const last of [undefined, ...events]) {
    const log = new TransitionLog();
    const life = start(log.logger);
    const expected: string[] = [];
    check(life);
    for (const event of last === undefined ? path.events : [...path.events, last]) {
      const from = life.state;
      const to = table[from]?.[event.type] ?? from;
      if (from !== to) expected.push(`${from} -> ${to} by ${event.type}`);
      life.send(event);
      assert.is(life.state, to, `${from} by ${event.type}`);
      check(life);
    }
    if (last === undefined) assert.is(life.state, path.end);
    assert.equal(log.lines, expected);
  }
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

const roleTable: Table = {
  starting: { RECOVER: 'recovering', SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  recovering: { SERVE: 'master', SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  master: { SHUT_DOWN: 'shuttingDown', FAIL: 'failed' },
  shuttingDown: { STOPPED: 'stopped', FAIL: 'failed' },
  failed: { SHUT_DOWN: 'shuttingDown' },
  stopped: {},
};

/** Whether sends are taken, as the shared word would say. */
class Sends {
  open: boolean | undefined;
  openSends = (): void => {
    this.open = true;
  };
  closeSends = (): void => {
    this.open = false;
  };
}

function rolePaths(): Path<BrokerRoleEvent>[] {
  return pathsOf<BrokerRoleEvent>(
    getShortestPaths(brokerRoleMachine, {
      input: new Sends(),
      events: [...roleEvents],
      serializeState: snapshot => stateOf(snapshot),
    }),
  );
}

machines('broker role: every shortest path goes where the table says, and its end knows only its own events', () => {
  const paths = rolePaths();
  assert.equal(paths.map(path => path.end).sort(), Object.keys(roleTable).sort());
  for (const path of paths) {
    walk(
      path,
      roleTable,
      roleEvents,
      log => startBrokerRole(new Sends(), log),
      () => {},
    );
  }
});

machines('broker role: sends are taken by a master and by nobody else, on every path', () => {
  let masters = 0;
  for (const path of rolePaths()) {
    let sends = new Sends();
    const start = (log: Logger): Life<BrokerRoleEvent> => {
      sends = new Sends();
      return startBrokerRole(sends, log);
    };
    walk(path, roleTable, roleEvents, start, life => {
      assert.is(sends.open, life.state === 'master', life.state);
      if (life.state === 'master') masters++;
    });
  }
  assert.ok(masters > 0, 'a path led to a master');
});

machines.run();
