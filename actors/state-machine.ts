/** Runs a state machine: every transition is logged with its cause. For roles, connections and recovery. Cold. */
import type { Logger } from '../runtime/log/contract.js';

export interface Life<Event> {
  /** Where it stands now. */
  readonly state: string;
  /** An event that the state does not know changes nothing. */
  send(event: Event): void;
}

/** The part of a running machine that is used here. */
export interface Machine<Event> {
  getSnapshot(): { readonly value: unknown };
  send(event: Event): void;
}

/** `what`: whose state it is, for the log. */
export function follow<Event extends { readonly type: string }>(
  what: string,
  machine: Machine<Event>,
  log: Logger,
): Life<Event> {
  return {
    get state() {
      return String(machine.getSnapshot().value);
    },
    send(event) {
      const from = String(machine.getSnapshot().value);
      machine.send(event);
      const to = String(machine.getSnapshot().value);
      const { type: cause, ...facts } = event;
      if (from !== to) log.debug({ from, to, cause, ...facts }, `${what}: ${from} -> ${to}`);
    },
  };
}
