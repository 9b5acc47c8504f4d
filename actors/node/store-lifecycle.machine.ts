/**
 * The life of a store, in RocketMQ's order. A handful of events in the life of a node; the message path never sees it.
 * Source: spec storage 6, 10, 16; DefaultMessageStore.
 */
import { setup } from 'xstate';

export type StoreEvent =
  /** The directory is ours. */
  | { readonly type: 'LOCKED' }
  /** All files were found; `clean`: the last run ended well. */
  | { readonly type: 'LOADED'; readonly clean: boolean }
  /** Log, queues and offsets agree. */
  | { readonly type: 'RECOVERED' }
  | { readonly type: 'CLOSE' }
  /** Everything is on the device; `clean`: the abort mark is gone. */
  | { readonly type: 'CLOSED'; readonly clean: boolean }
  /** The files cannot be used as they are: only an operator leaves this. */
  | { readonly type: 'CORRUPT'; readonly reason: string }
  /** The directory was given back without having been opened. */
  | { readonly type: 'GIVEN_UP'; readonly reason: string };

export const storeLifecycleMachine = setup({
  types: { events: {} as StoreEvent },
}).createMachine({
  id: 'store',
  initial: 'init',
  states: {
    init: { on: { LOCKED: 'loading', GIVEN_UP: 'closed' } },
    loading: { on: { LOADED: 'recovering', CORRUPT: 'corrupt', GIVEN_UP: 'closed' } },
    recovering: { on: { RECOVERED: 'running', CORRUPT: 'corrupt', GIVEN_UP: 'closed' } },
    running: { on: { CLOSE: 'closing' } },
    closing: { on: { CLOSED: 'closed' } },
    closed: { type: 'final' },
    corrupt: { type: 'final' },
  },
});
