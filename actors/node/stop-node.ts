/** Taking a node down in order, so that the next start finds everything as it was left. Cold. */
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { RootLogger } from '../../runtime/log/logger.js';
import { StoreState } from '../store-state.js';
import type { BrokerRoleEvent } from './broker-role.machine.js';
import type { Housekeeping } from './housekeeping.js';
import type { LaneKeeper } from './lane-keeper.js';
import type { Life } from './life.js';
import type { Workshop } from './memory.js';
import type { Store } from './store.js';
import type { StoreEvent } from './store-lifecycle.machine.js';
import type { ThreadHost } from './thread-host.js';
import type { ThreadPlan } from './thread-plan.js';

/** What a node is made of. */
export interface NodeParts {
  readonly plan: ThreadPlan;
  readonly shop: Workshop;
  readonly log: Logger;
  readonly rootLogger: RootLogger | undefined;
  readonly host: ThreadHost;
  readonly store: Store | undefined;
  readonly role: Life<BrokerRoleEvent>;
  readonly storeLife: Life<StoreEvent>;
  readonly housekeeping: Housekeeping | undefined;
  /** Where lanes have threads of their own. */
  lanes?: LaneKeeper;
}

/** How long a stopping node waits for what is in progress. Units: ms. */
const DRAIN_MAX_MS = 5000;
const LOOK_EVERY_MS = 2;

export async function stopNode(parts: NodeParts): Promise<void> {
  const { shop, store, log, rootLogger, host, role, housekeeping } = parts;
  housekeeping?.stop();
  await parts.lanes?.close();
  log.info({}, 'stopping: no new connections');
  await host.control('remoting').stopListening();
  if (store !== undefined) {
    await host.control('ha-receiver').stopReplica();
    await host.control('coordinator').unregister();
  }
  role.send({ type: 'SHUT_DOWN' });
  if (store !== undefined) await drain(parts);
  await host.control('remoting').disconnect();
  await host.stop();
  if (store !== undefined) closeStore(parts, store);
  role.send({ type: 'STOPPED' });
  log.info(store === undefined ? {} : { commitLog: formatBytes(shop.positions.read('appended')) }, 'stopped');
  await rootLogger?.close();
}

/** Waits until every accepted send is answered, every delivery that was begun is done, and every message dispatched. */
async function drain({ shop, log, host }: NodeParts): Promise<void> {
  const untilMs = performance.now() + DRAIN_MAX_MS;
  const { positions } = shop;
  let inflight = await inflightOf(host);
  while (inflight > 0 || positions.read('dispatched') !== positions.read('appended')) {
    if (performance.now() > untilMs) {
      log.warn({ inflight }, 'stopping although requests are in progress');
      return;
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    inflight = await inflightOf(host);
  }
}

async function inflightOf(host: ThreadHost): Promise<number> {
  return (await host.control('remoting').inflight()) + (await host.control('scheduler').inflight());
}

function closeStore({ shop, log, storeLife }: NodeParts, store: Store): void {
  const { positions, storeState } = shop;
  storeLife.send({ type: 'CLOSE' });
  let clean = false;
  try {
    const end = positions.read('appended');
    store.syncLog(positions.read('flushed'), end);
    positions.publish('flushed', end);
    clean = positions.read('dispatched') === end && !storeState.has(StoreState.FLUSH_FAILED);
    if (clean) store.markClosed();
  } catch (error) {
    log.error({ err: error }, 'the store could not be closed cleanly: the next start will read the log back');
  }
  store.release();
  storeLife.send({ type: 'CLOSED', clean });
}
