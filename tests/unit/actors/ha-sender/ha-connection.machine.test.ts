/** Every shortest path of a slave's connection, and what every state makes of every event. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { getShortestPaths } from 'xstate/graph';
import {
  type HaConnectionActions,
  type HaConnectionEvent,
  HaConnectionLife,
  haConnectionMachine,
} from '../../../../actors/ha-sender/ha-connection.machine.js';
import { pathsOf, stateOf, type Table, TransitionLog, walkPath } from '../../../support/machine-walk.js';

const machine = suite('actors/ha-sender/ha-connection.machine');

const events: readonly HaConnectionEvent[] = [{ type: 'REPORTED' }, { type: 'CLOSE', reason: 'it is gone' }];
const table: Table = {
  awaitingReport: { REPORTED: 'transfer', CLOSE: 'closed' },
  transfer: { CLOSE: 'closed' },
  closed: {},
};

/** What the connection would do. */
class Slave implements HaConnectionActions {
  isAttached = false;
  releases = 0;
  attached = (): void => {
    this.isAttached = true;
  };
  detached = (): void => {
    this.isAttached = false;
  };
  release = (): void => {
    this.releases++;
  };
}

machine('every path goes where the table says; a slave counts in transfer alone, and is released once', () => {
  const paths = pathsOf<HaConnectionEvent>(
    getShortestPaths(haConnectionMachine, {
      input: new Slave(),
      events: [...events],
      serializeState: snapshot => stateOf(snapshot),
    }),
  );
  assert.equal(paths.map(path => path.end).sort(), Object.keys(table).sort());
  for (const path of paths) {
    let slave = new Slave();
    let log = new TransitionLog();
    let expected: string[] = [];
    const start = (): HaConnectionLife => {
      slave = new Slave();
      log = new TransitionLog();
      expected = [];
      return new HaConnectionLife(slave, log.logger, '192.0.2.1:40000');
    };
    walkPath(path, table, events, start, ({ state }, from, event) => {
      if (event !== undefined && from !== state) expected.push(`${from} -> ${state} by ${event.type}`);
      assert.equal(log.lines, expected);
      assert.is(slave.isAttached, state === 'transfer', state);
      assert.is(slave.releases, state === 'closed' ? 1 : 0, state);
    });
  }
});

machine.run();
