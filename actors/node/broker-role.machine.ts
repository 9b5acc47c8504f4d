/**
 * What a broker is to its cluster. Entering a state says through one shared word whether sends are taken; lanes read it
 * as an integer. It outlives the rooms: a change of role takes them down and starts them anew in the other role.
 * Source: design of RingMQ; spec properties 9, ha 1.
 */
import { setup } from 'xstate';

export type BrokerRoleEvent =
  /** The store is about to be opened, at the start or in a new role. */
  | { readonly type: 'RECOVER' }
  /** The store is open, the actors run, the ports listen. */
  | { readonly type: 'SERVE_AS_MASTER' }
  | { readonly type: 'SERVE_AS_SLAVE' }
  /** On command. */
  | { readonly type: 'PROMOTE'; readonly reason: string }
  | { readonly type: 'DEMOTE'; readonly reason: string }
  /** It stays a slave, and starts anew without the end of its log that its master does not have. */
  | { readonly type: 'REJOIN'; readonly reason: string }
  /** The change was refused: the role stays. */
  | { readonly type: 'KEEP'; readonly reason: string }
  | { readonly type: 'SHUT_DOWN' }
  | { readonly type: 'STOPPED' }
  | { readonly type: 'FAIL'; readonly reason: string };

/** What entering a state does to the node. */
export interface BrokerRoleActions {
  openSends(): void;
  closeSends(): void;
  /** Sends are refused from now on as by a slave, so that producers go elsewhere; everything else is served. */
  serveAsSlave(): void;
}

export const brokerRoleMachine = setup({
  types: { events: {} as BrokerRoleEvent, input: {} as BrokerRoleActions, context: {} as BrokerRoleActions },
  actions: {
    openSends: ({ context }) => context.openSends(),
    closeSends: ({ context }) => context.closeSends(),
    serveAsSlave: ({ context }) => context.serveAsSlave(),
  },
}).createMachine({
  id: 'broker-role',
  context: ({ input }) => input,
  initial: 'starting',
  on: { FAIL: '.failed' },
  states: {
    starting: { entry: 'closeSends', on: { RECOVER: 'recovering', SHUT_DOWN: 'shuttingDown' } },
    recovering: {
      entry: 'closeSends',
      on: { SERVE_AS_MASTER: 'master', SERVE_AS_SLAVE: 'slave', SHUT_DOWN: 'shuttingDown' },
    },
    slave: {
      entry: 'serveAsSlave',
      on: { PROMOTE: 'promoting', REJOIN: 'rejoining', SHUT_DOWN: 'shuttingDown' },
    },
    rejoining: { on: { RECOVER: 'recovering', KEEP: 'slave', SHUT_DOWN: 'shuttingDown' } },
    promoting: { on: { RECOVER: 'recovering', KEEP: 'slave', SHUT_DOWN: 'shuttingDown' } },
    master: { entry: 'openSends', on: { DEMOTE: 'demoting', SHUT_DOWN: 'shuttingDown' } },
    demoting: {
      entry: 'serveAsSlave',
      on: { RECOVER: 'recovering', KEEP: 'master', SHUT_DOWN: 'shuttingDown' },
    },
    shuttingDown: { entry: 'closeSends', on: { STOPPED: 'stopped' } },
    stopped: { type: 'final' },
    failed: { entry: 'closeSends', on: { SHUT_DOWN: 'shuttingDown' } },
  },
});
