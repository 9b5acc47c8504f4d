/** Taking a node down in order, so that the next start finds everything as it was left. Cold. */
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { RootLogger } from '../../runtime/log/logger.js';
import { StoreState } from '../store-state.js';
import type { Workshop } from './memory.js';
import type { Store } from './store.js';
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
}

/** How long a stopping node waits for what is in progress. Units: ms. */
const DRAIN_MAX_MS = 5000;
const LOOK_EVERY_MS = 2;

export async function stopNode(parts: NodeParts): Promise<void> {
  const { shop, store, log, rootLogger, host } = parts;
  log.info({}, 'stopping: no new connections');
  await host.control('remoting').stopListening();
  if (store !== undefined) await host.control('coordinator').unregister();
  shop.storeState.set(StoreState.CLOSED);
  if (store !== undefined) await drain(parts);
  await host.control('remoting').disconnect();
  await host.stop();
  if (store !== undefined) closeStore(parts, store);
  log.info(store === undefined ? {} : { commitLog: formatBytes(shop.positions.read('appended')) }, 'stopped');
  await rootLogger?.close();
}

/** Waits until every accepted send is answered and every message dispatched. */
async function drain({ shop, log, host }: NodeParts): Promise<void> {
  const untilMs = performance.now() + DRAIN_MAX_MS;
  const { positions } = shop;
  let inflight = await host.control('remoting').inflight();
  while (inflight > 0 || positions.read('dispatched') !== positions.read('appended')) {
    if (performance.now() > untilMs) {
      log.warn({ inflight }, 'stopping although requests are in progress');
      return;
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    inflight = await host.control('remoting').inflight();
  }
}

function closeStore({ shop, log }: NodeParts, store: Store): void {
  const { positions, storeState } = shop;
  try {
    const end = positions.read('appended');
    store.syncLog(positions.read('flushed'), end);
    positions.publish('flushed', end);
    if (positions.read('dispatched') === end && !storeState.has(StoreState.FLUSH_FAILED)) store.markClosed();
  } catch (error) {
    log.error({ err: error }, 'the store could not be closed cleanly: the next start will read the log back');
  }
  store.release();
}
