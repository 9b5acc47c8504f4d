/** Runs the machines of a node: role and store. Every transition is logged with its cause. Cold. */
import { createActor } from 'xstate';
import type { Logger } from '../../runtime/log/contract.js';
import { type BrokerRoleActions, type BrokerRoleEvent, brokerRoleMachine } from './broker-role.machine.js';
import { type StoreEvent, storeLifecycleMachine } from './store-lifecycle.machine.js';

export interface Life<Event> {
  /** Where it stands now. */
  readonly state: string;
  /** An event that the state does not know changes nothing. */
  send(event: Event): void;
}

export function startStoreLife(log: Logger): Life<StoreEvent> {
  const machine = createActor(storeLifecycleMachine).start();
  return follow('store', machine as unknown as Machine<StoreEvent>, log);
}

export function startBrokerRole(actions: BrokerRoleActions, log: Logger): Life<BrokerRoleEvent> {
  const machine = createActor(brokerRoleMachine, { input: actions }).start();
  return follow('broker role', machine as unknown as Machine<BrokerRoleEvent>, log);
}

/** The part of a running machine that is used here. */
interface Machine<Event> {
  getSnapshot(): { readonly value: unknown };
  send(event: Event): void;
}

function follow<Event extends { readonly type: string }>(
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
