/** Taking a node down in order, so that the next start finds everything as it was left. Cold. */
import { messageOf } from '../../runtime/base/errors.js';
import { formatBytes } from '../../runtime/base/units.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { RootLogger } from '../../runtime/log/logger.js';
import { StoreState } from '../store-state.js';
import type { BrokerRoleEvent } from './broker-role.machine.js';
import type { Housekeeping } from './housekeeping.js';
import type { LaneKeeper } from './lane-keeper.js';
import type { Life } from './life.js';
import type { Workshop } from './memory.js';
import type { LeftStore, Store } from './store.js';
import type { StoreEvent } from './store-lifecycle.machine.js';
import type { ThreadHost } from './thread-host.js';
import type { ThreadPlan } from './thread-plan.js';
import type { Heirlooms } from './thread-rooms.js';

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

/** What the rooms of one role leave to those of the next. */
export interface Legacy {
  /** Connections and what goes with them; undefined where they are gone. */
  readonly heirlooms: Heirlooms | undefined;
  /** Undefined when the store was not closed well. */
  readonly left: LeftStore | undefined;
}

/** How long a stopping node waits for what is in progress. Units: ms. */
const DRAIN_MAX_MS = 5000;
/** How long clients of a broker that changes its role wait for answers that are late. Units: ms. */
const EMPTY_MAX_MS = 1000;
const LOOK_EVERY_MS = 2;
/** How long a collector may take for the last spans of a node that stops, and of one that is wanted back. Units: ms. */
const SPANS_AT_STOP_MAX_MS = 2000;
const SPANS_MAX_MS = 200;

export async function stopNode(parts: NodeParts): Promise<void> {
  const { shop, store, log, rootLogger, role } = parts;
  log.info({}, 'stopping: no new connections');
  await takeDown(parts, () => role.send({ type: 'SHUT_DOWN' }), SPANS_AT_STOP_MAX_MS);
  role.send({ type: 'STOPPED' });
  log.info(store === undefined ? {} : { commitLog: formatBytes(shop.positions.read('appended')) }, 'stopped');
  await rootLogger?.close();
}

/**
 * Ends the rooms of a broker and closes the store, and leaves to the next rooms what need not end with these: clients
 * stay connected and wait, and the store need not be read back. `readsBack`: it is to be all the same.
 */
export async function takeDownForRole(parts: NodeParts, readsBack = false): Promise<Legacy> {
  const { host, housekeeping, shop } = parts;
  const store = parts.store!;
  housekeeping?.stop();
  await parts.lanes?.close();
  const staysConnected = host.heirlooms !== undefined;
  if (!staysConnected) await host.control('remoting').stopListening();
  await host.control('ha-receiver').stopReplica();
  if (staysConnected) await host.control('coordinator').restRegistrar();
  else await host.control('coordinator').unregister();
  await drain(parts);
  if (staysConnected) await emptyRooms(parts);
  else await host.control('remoting').disconnect();
  const queueNumbers = await host.control('coordinator').queueNumbers();
  const lastWriteOffset = await host.control('commit-log-writer').lastWriteOffset();
  const { heirlooms } = host;
  if (host.has('telemetry')) await finishSpans(parts, SPANS_MAX_MS);
  await host.stop();
  const left = closeStore(parts, store) && !readsBack ? { store, shop, queueNumbers, lastWriteOffset } : undefined;
  if (left === undefined) store.release();
  return { heirlooms, left };
}

/** Takes no more requests, and waits until those inside are answered or on their way back. */
async function emptyRooms({ host, shop, log }: NodeParts): Promise<void> {
  const remoting = host.control('remoting');
  await remoting.shutDoor();
  for (const lane of host.controlsOf(shop.startedLanes('pull-lane'))) await lane.releasePulls();
  let looks = 0;
  const isEmpty = async (): Promise<boolean> => {
    const onTheirWay = await host.control('forwarder').restForwarder();
    // A request on a detour may be in none of them at one look.
    looks = onTheirWay === 0 && shop.requestsWaiting() === 0 ? looks + 1 : 0;
    return looks > 1;
  };
  if (!(await within(EMPTY_MAX_MS, isEmpty))) log.warn({}, 'the role changes although requests are not answered yet');
  await remoting.leaveDoor();
}

/** Ends the rooms and closes the store. `closeSends`: called when no connection can come any more. */
async function takeDown(parts: NodeParts, closeSends: () => void, spansMaxMs: number): Promise<void> {
  const { store, host, housekeeping } = parts;
  housekeeping?.stop();
  await parts.lanes?.close();
  await host.control('remoting').stopListening();
  if (store !== undefined) {
    await host.control('ha-receiver').stopReplica();
    await host.control('coordinator').unregister();
  }
  closeSends();
  if (store !== undefined) await drain(parts);
  await host.control('remoting').disconnect();
  if (host.has('telemetry')) await finishSpans(parts, spansMaxMs);
  await host.stop();
  if (store === undefined) return;
  closeStore(parts, store);
  store.release();
}

async function finishSpans({ host, log }: NodeParts, patienceMs: number): Promise<void> {
  try {
    await host.control('telemetry').finishSpans(patienceMs);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'the last spans are lost');
  }
}

/** Waits until every accepted send is answered, every delivery that was begun is done, and every message dispatched. */
async function drain(parts: NodeParts): Promise<void> {
  if (await within(DRAIN_MAX_MS, () => isAtRest(parts))) return;
  parts.log.warn({ inflight: await inflightOf(parts.host) }, 'stopping although requests are in progress');
}

/** Nothing is under way that would make the log grow, and all of it is in the consume queues. */
export async function isAtRest({ shop, host }: NodeParts): Promise<boolean> {
  const { positions } = shop;
  return (await inflightOf(host)) === 0 && positions.read('dispatched') === positions.read('appended');
}

/** Looks again and again whether something is so, for so long; whether it was. */
export async function within(patienceMs: number, isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const untilMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > untilMs) return false;
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
}

/** Of each thread once: one that holds several of these rooms counts them together. */
async function inflightOf(host: ThreadHost): Promise<number> {
  let inflight = 0;
  for (const control of host.controlsOf(['remoting', 'scheduler', 'transaction-checker'])) {
    inflight += await control.inflight();
  }
  return inflight;
}

/** Whether it is as the next start would find it; its directory is still taken. */
function closeStore({ shop, log, storeLife }: NodeParts, store: Store): boolean {
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
  storeLife.send({ type: 'CLOSED', clean });
  return clean;
}
