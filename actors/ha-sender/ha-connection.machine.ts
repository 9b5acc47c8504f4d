/**
 * One slave's connection, seen from the master: it is a slave from its first report on. A handful of events in the life
 * of a connection; the bytes of the log never see it.
 * Source: spec ha 2.1, 2.2; HAConnection.
 */
import { createActor, setup } from 'xstate';
import type { Logger } from '../../runtime/log/contract.js';
import { follow, type Life, type Machine } from '../state-machine.js';

export type HaConnectionEvent =
  /** The first report came, and the log can be sent from there. */
  | { readonly type: 'REPORTED' }
  /** The peer went, was silent, or wants what it cannot get. */
  | { readonly type: 'CLOSE'; readonly reason: string };

/** What entering and leaving a state does. */
export interface HaConnectionActions {
  /** From here on the slave counts. */
  attached(): void;
  detached(): void;
  /** Ends the socket. */
  release(): void;
}

export const haConnectionMachine = setup({
  types: {
    events: {} as HaConnectionEvent,
    input: {} as HaConnectionActions,
    context: {} as HaConnectionActions,
  },
  actions: {
    attached: ({ context }) => context.attached(),
    detached: ({ context }) => context.detached(),
    release: ({ context }) => context.release(),
  },
}).createMachine({
  id: 'ha-connection',
  context: ({ input }) => input,
  initial: 'awaitingReport',
  states: {
    awaitingReport: { on: { REPORTED: 'transfer', CLOSE: 'closed' } },
    transfer: { entry: 'attached', exit: 'detached', on: { CLOSE: 'closed' } },
    closed: { entry: 'release', type: 'final' },
  },
});

export type HaConnectionState = 'awaitingReport' | 'transfer' | 'closed';

/** The machine of one connection, running. */
export class HaConnectionLife {
  readonly #life: Life<HaConnectionEvent>;

  /** `slave`: its address, for the log. */
  constructor(actions: HaConnectionActions, log: Logger, slave: string) {
    const machine = createActor(haConnectionMachine, { input: actions }).start();
    this.#life = follow(`HA connection of ${slave}`, machine as unknown as Machine<HaConnectionEvent>, log);
  }

  get state(): HaConnectionState {
    return this.#life.state as HaConnectionState;
  }

  /** An event that the state does not know changes nothing. */
  send(event: HaConnectionEvent): void {
    this.#life.send(event);
  }
}
