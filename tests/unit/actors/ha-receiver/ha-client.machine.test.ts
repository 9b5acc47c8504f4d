/** Every shortest path of a slave's link to its master, and what every state makes of every event. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { getShortestPaths } from 'xstate/graph';
import {
  type HaClientActions,
  type HaClientEvent,
  HaClientLife,
  haClientMachine,
} from '../../../../actors/ha-receiver/ha-client.machine.js';
import { pathsOf, stateOf, type Table, TransitionLog, walkPath } from '../../../support/machine-walk.js';

const machine = suite('actors/ha-receiver/ha-client.machine');

const events: readonly HaClientEvent[] = [
  { type: 'MASTER_KNOWN' },
  { type: 'CONNECTED' },
  { type: 'LOST', reason: 'it is gone' },
  { type: 'RETRY' },
  { type: 'SHUT_DOWN' },
];
const table: Table = {
  ready: { MASTER_KNOWN: 'handshake', SHUT_DOWN: 'shutdown' },
  handshake: { CONNECTED: 'transfer', LOST: 'suspend', SHUT_DOWN: 'shutdown' },
  transfer: { LOST: 'suspend', SHUT_DOWN: 'shutdown' },
  suspend: { RETRY: 'handshake', MASTER_KNOWN: 'handshake', SHUT_DOWN: 'shutdown' },
  shutdown: {},
};

/** Whether there is a link, or an attempt at one, and how often the log's end was reported. */
class Link implements HaClientActions {
  isOpen = false;
  attempts = 0;
  reports = 0;
  connect = (): void => {
    this.isOpen = true;
    this.attempts++;
  };
  report = (): void => {
    this.reports++;
  };
  disconnect = (): void => {
    this.isOpen = false;
  };
}

machine(
  'every path goes where the table says; there is a link in handshake and transfer, and no report before it',
  () => {
    const paths = pathsOf<HaClientEvent>(
      getShortestPaths(haClientMachine, {
        input: new Link(),
        events: [...events],
        serializeState: snapshot => stateOf(snapshot),
      }),
    );
    assert.equal(paths.map(path => path.end).sort(), Object.keys(table).sort());
    for (const path of paths) {
      let link = new Link();
      let log = new TransitionLog();
      let expected: string[] = [];
      const start = (): HaClientLife => {
        link = new Link();
        log = new TransitionLog();
        expected = [];
        return new HaClientLife(link, log.logger);
      };
      walkPath(path, table, events, start, ({ state }, from, event) => {
        if (event !== undefined && from !== state) expected.push(`${from} -> ${state} by ${event.type}`);
        assert.equal(log.lines, expected);
        assert.is(link.isOpen, state === 'handshake' || state === 'transfer', state);
        assert.ok(link.reports <= link.attempts, 'one report an attempt at most');
        if (from === 'handshake' && event?.type === 'CONNECTED') assert.is(link.reports, link.attempts);
      });
    }
  },
);

machine.run();
