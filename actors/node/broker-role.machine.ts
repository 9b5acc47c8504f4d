/**
 * What a broker is to its cluster. Entering a state says through one shared word whether sends are taken; lanes read it
 * as an integer. The role is the configured one so far; promoting and demoting will be states between the two.
 * Source: design of RingMQ; spec properties 9, ha 1.
 */
import { setup } from 'xstate';

export type BrokerRoleEvent =
  | { readonly type: 'RECOVER' }
  /** The store is open, the actors run, the ports listen. */
  | { readonly type: 'SERVE' }
  | { readonly type: 'SHUT_DOWN' }
  | { readonly type: 'STOPPED' }
  | { readonly type: 'FAIL'; readonly reason: string };

/** What entering a state does to the node. */
export interface BrokerRoleActions {
  /** brokerRole=SLAVE. */
  readonly isSlave: boolean;
  openSends(): void;
  closeSends(): void;
  /** Sends are refused from now on because this is a slave; everything else is served. */
  serveAsSlave(): void;
}

export const brokerRoleMachine = setup({
  types: { events: {} as BrokerRoleEvent, input: {} as BrokerRoleActions, context: {} as BrokerRoleActions },
  actions: {
    openSends: ({ context }) => context.openSends(),
    closeSends: ({ context }) => context.closeSends(),
    serveAsSlave: ({ context }) => context.serveAsSlave(),
  },
  guards: { isSlave: ({ context }) => context.isSlave },
}).createMachine({
  id: 'broker-role',
  context: ({ input }) => input,
  initial: 'starting',
  on: { FAIL: '.failed' },
  states: {
    starting: { entry: 'closeSends', on: { RECOVER: 'recovering', SHUT_DOWN: 'shuttingDown' } },
    recovering: {
      on: { SERVE: [{ guard: 'isSlave', target: 'slave' }, { target: 'master' }], SHUT_DOWN: 'shuttingDown' },
    },
    slave: { entry: 'serveAsSlave', on: { SHUT_DOWN: 'shuttingDown' } },
    master: { entry: 'openSends', on: { SHUT_DOWN: 'shuttingDown' } },
    shuttingDown: { entry: 'closeSends', on: { STOPPED: 'stopped' } },
    stopped: { type: 'final' },
    failed: { entry: 'closeSends', on: { SHUT_DOWN: 'shuttingDown' } },
  },
});
