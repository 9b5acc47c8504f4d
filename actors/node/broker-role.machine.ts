/**
 * What a broker is to its cluster. Entering a state says through one shared word whether sends are taken; lanes read it
 * as an integer. Master only so far: slave, promoting and demoting come with replication.
 * Source: design of RingMQ; spec properties 9.
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
  openSends(): void;
  closeSends(): void;
}

export const brokerRoleMachine = setup({
  types: { events: {} as BrokerRoleEvent, input: {} as BrokerRoleActions, context: {} as BrokerRoleActions },
  actions: {
    openSends: ({ context }) => context.openSends(),
    closeSends: ({ context }) => context.closeSends(),
  },
}).createMachine({
  id: 'broker-role',
  context: ({ input }) => input,
  initial: 'starting',
  on: { FAIL: '.failed' },
  states: {
    starting: { entry: 'closeSends', on: { RECOVER: 'recovering', SHUT_DOWN: 'shuttingDown' } },
    recovering: { on: { SERVE: 'master', SHUT_DOWN: 'shuttingDown' } },
    master: { entry: 'openSends', on: { SHUT_DOWN: 'shuttingDown' } },
    shuttingDown: { entry: 'closeSends', on: { STOPPED: 'stopped' } },
    stopped: { type: 'final' },
    failed: { entry: 'closeSends', on: { SHUT_DOWN: 'shuttingDown' } },
  },
});
