/** Runs the machines of a node: role and store. Every transition is logged with its cause. Cold. */
import { createActor } from 'xstate';
import type { Logger } from '../../runtime/log/contract.js';
import { follow, type Life, type Machine } from '../state-machine.js';
import { type BrokerRoleActions, type BrokerRoleEvent, brokerRoleMachine } from './broker-role.machine.js';
import { type StoreEvent, storeLifecycleMachine } from './store-lifecycle.machine.js';

export type { Life } from '../state-machine.js';

export function startStoreLife(log: Logger): Life<StoreEvent> {
  const machine = createActor(storeLifecycleMachine).start();
  return follow('store', machine as unknown as Machine<StoreEvent>, log);
}

export function startBrokerRole(actions: BrokerRoleActions, log: Logger): Life<BrokerRoleEvent> {
  const machine = createActor(brokerRoleMachine, { input: actions }).start();
  return follow('broker role', machine as unknown as Machine<BrokerRoleEvent>, log);
}
