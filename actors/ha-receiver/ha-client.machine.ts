/**
 * A slave's link to its master, with RocketMQ's names of the states. A handful of events a minute at most; the bytes of
 * the log never see it.
 * Source: spec ha 2, 8.4; HAClient, HAConnectionState.
 */
import { createActor, setup } from 'xstate';
import type { Logger } from '../../runtime/log/contract.js';
import { follow, type Life, type Machine } from '../state-machine.js';

export type HaClientEvent =
  /** An address to replicate from is known, for the first time or another one. */
  | { readonly type: 'MASTER_KNOWN' }
  /** The logs fit together and the connection stands. */
  | { readonly type: 'CONNECTED' }
  /** The connection, or the attempt, is over. */
  | { readonly type: 'LOST'; readonly reason: string }
  /** It is time for the next attempt. */
  | { readonly type: 'RETRY' }
  | { readonly type: 'SHUT_DOWN' };

/** What entering and leaving a state does. */
export interface HaClientActions {
  /** Compares the logs and dials. */
  connect(): void;
  /** Reports where this log ends, at once. */
  report(): void;
  /** Ends the connection or the attempt. */
  disconnect(): void;
}

export const haClientMachine = setup({
  types: { events: {} as HaClientEvent, input: {} as HaClientActions, context: {} as HaClientActions },
  actions: {
    connect: ({ context }) => context.connect(),
    report: ({ context }) => context.report(),
    disconnect: ({ context }) => context.disconnect(),
  },
}).createMachine({
  id: 'ha-client',
  context: ({ input }) => input,
  initial: 'ready',
  on: { SHUT_DOWN: '.shutdown' },
  states: {
    /** No master is known yet. */
    ready: { on: { MASTER_KNOWN: 'handshake' } },
    handshake: { entry: 'connect', on: { CONNECTED: 'transfer', LOST: 'suspend' } },
    transfer: { entry: 'report', on: { LOST: 'suspend' } },
    /** Waits for the next attempt. */
    suspend: { entry: 'disconnect', on: { RETRY: 'handshake', MASTER_KNOWN: 'handshake' } },
    shutdown: { entry: 'disconnect', type: 'final' },
  },
});

export type HaClientState = 'ready' | 'handshake' | 'transfer' | 'suspend' | 'shutdown';

/** The machine of one slave, running. */
export class HaClientLife {
  readonly #life: Life<HaClientEvent>;

  constructor(actions: HaClientActions, log: Logger) {
    const machine = createActor(haClientMachine, { input: actions }).start();
    this.#life = follow('HA client', machine as unknown as Machine<HaClientEvent>, log);
  }

  get state(): HaClientState {
    return this.#life.state as HaClientState;
  }

  /** An event that the state does not know changes nothing. */
  send(event: HaClientEvent): void {
    this.#life.send(event);
  }
}
