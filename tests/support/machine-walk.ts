/** Walks every shortest path of a state machine's graph against a table of where each state goes. */
import * as assert from 'uvu/assert';
import type { EventObject, Snapshot } from 'xstate';
import type { Logger } from '../../runtime/log/contract.js';

/** A path through a machine: its events in order, and where it ends. */
export interface Path<Event> {
  readonly events: readonly Event[];
  readonly end: string;
}

/** What xstate/graph gives, as far as it is used here. */
export interface GraphPath {
  readonly state: Snapshot<unknown>;
  readonly steps: readonly { readonly event: EventObject }[];
}

/** Where each state goes by each event it knows; by any other it stays. */
export type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function stateOf(snapshot: Snapshot<unknown>): string {
  return String((snapshot as { value?: unknown }).value);
}

export function pathsOf<Event>(paths: readonly GraphPath[]): Path<Event>[] {
  return paths.map(({ state, steps }) => ({
    // The first step only makes the machine.
    events: steps.slice(1).map(step => step.event as unknown as Event),
    end: stateOf(state),
  }));
}

/** A log that keeps the transitions that were told of: "init -> loading by LOCKED". */
export class TransitionLog {
  readonly lines: string[] = [];
  readonly logger = {
    debug: ({ from, to, cause }: { from: string; to: string; cause: string }): void => {
      this.lines.push(`${from} -> ${to} by ${cause}`);
    },
  } as unknown as Logger;
}

/** A running machine. */
export interface Walked<Event> {
  readonly state: string;
  send(event: Event): void;
}

/**
 * Walks a path step by step against the table, and does so again with each of all events behind its end; `check` looks
 * at each state that was entered, and at the state and event it was entered from.
 */
export function walkPath<Event extends EventObject>(
  path: Path<Event>,
  table: Table,
  events: readonly Event[],
  start: () => Walked<Event>,
  check: (life: Walked<Event>, from?: string, event?: Event) => void,
): void {
  for (const last of [undefined, ...events]) {
    const life = start();
    check(life);
    for (const event of last === undefined ? path.events : [...path.events, last]) {
      const from = life.state;
      const to = table[from]?.[event.type] ?? from;
      life.send(event);
      assert.is(life.state, to, `${from} by ${event.type}`);
      check(life, from, event);
    }
    if (last === undefined) assert.is(life.state, path.end);
  }
}
