/**
 * The life of an actor as its supervisor sees it.
 *
 *   starting ──STARTED──▶ running ──DRAIN──▶ draining ──STOPPED──▶ stopped      (DRAIN also while starting)
 *      ▲  └──┬──CRASHED──────┘                  └────CRASHED──▶ stopped (restart) or failed (escalate)
 *      │     ▼
 *      │  crashed ──policy escalate, or too many crashes in the window──▶ failed
 *      │     ▼
 *      └─restarting ──DRAIN──▶ stopped      (waits for the backoff)
 *
 * Pure: effects are the named actions, time comes with the events, and delays run on the clock handed to the machine.
 */
import { assign, setup } from 'xstate';
import { minuteMs } from '../base/units.js';

/** What follows a crash. Units: ms, crashes. */
export type CrashPolicy =
  /** The actor starts again, later each time; after `restartsMax` in `windowMs` the node fails. */
  | {
      readonly kind: 'restart';
      readonly backoffMs: number;
      readonly backoffMaxMs: number;
      readonly restartsMax: number;
      readonly windowMs: number;
    }
  /** The actor's crash is the node's crash: the commit log writer, which others cannot do without. */
  | { readonly kind: 'escalate' };

export const escalate: CrashPolicy = { kind: 'escalate' };
export const restartLanes: CrashPolicy = {
  kind: 'restart',
  backoffMs: 100,
  backoffMaxMs: 5000,
  restartsMax: 5,
  windowMs: minuteMs,
};

export interface LifecycleContext {
  readonly policy: CrashPolicy;
  /** When it crashed, those inside the window only. Units: ms since the epoch. */
  readonly crashesMs: readonly number[];
  /** Why it crashed last. */
  readonly error: unknown;
}

export type LifecycleEvent =
  | { readonly type: 'STARTED' }
  | { readonly type: 'DRAIN' }
  | { readonly type: 'STOPPED' }
  | { readonly type: 'CRASHED'; readonly error: unknown; readonly nowMs: number };

/** Delay before the next start. Units: ms. */
export const backoffMs = ({ policy, crashesMs }: LifecycleContext): number =>
  policy.kind === 'escalate' ? 0 : Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** (crashesMs.length - 1));

const mayRestart = ({ policy, crashesMs }: LifecycleContext): boolean =>
  policy.kind === 'restart' && crashesMs.length <= policy.restartsMax;

export const lifecycleMachine = setup({
  types: {} as { context: LifecycleContext; events: LifecycleEvent; input: { policy: CrashPolicy } },
  delays: { backoff: ({ context }) => backoffMs(context) },
  guards: {
    mayRestart: ({ context }) => mayRestart(context),
    escalates: ({ context }) => context.policy.kind === 'escalate',
  },
  actions: {
    /** Builds the actor and runs it; ends with STARTED or CRASHED. */
    start: () => {},
    /** Asks the actor to finish what it has; ends with STOPPED or CRASHED. */
    drain: () => {},
    recordCrash: assign(({ context, event }) => {
      if (event.type !== 'CRASHED') return {};
      const { policy, crashesMs } = context;
      const sinceMs = policy.kind === 'restart' ? event.nowMs - policy.windowMs : event.nowMs;
      return { error: event.error, crashesMs: [...crashesMs.filter(atMs => atMs > sinceMs), event.nowMs] };
    }),
  },
}).createMachine({
  id: 'lifecycle',
  context: ({ input }) => ({ policy: input.policy, crashesMs: [], error: undefined }),
  initial: 'starting',
  states: {
    starting: {
      entry: 'start',
      on: {
        STARTED: 'running',
        DRAIN: 'draining',
        CRASHED: { target: 'crashed', actions: 'recordCrash' },
      },
    },
    running: {
      on: {
        DRAIN: 'draining',
        CRASHED: { target: 'crashed', actions: 'recordCrash' },
      },
    },
    draining: {
      entry: 'drain',
      on: {
        STOPPED: 'stopped',
        // It was to end anyway; but what an escalating actor had left to do matters to the node.
        CRASHED: [
          { guard: 'escalates', target: 'failed', actions: 'recordCrash' },
          { target: 'stopped', actions: 'recordCrash' },
        ],
      },
    },
    crashed: {
      always: [{ guard: 'mayRestart', target: 'restarting' }, { target: 'failed' }],
    },
    restarting: {
      after: { backoff: 'starting' },
      on: { DRAIN: 'stopped' },
    },
    stopped: { type: 'final' },
    failed: { type: 'final' },
  },
});

export type LifecycleState = keyof NonNullable<typeof lifecycleMachine.config.states>;
