/**
 * Changes the role of a running broker on command. With its rooms still running a master lets its log come to rest and
 * its slave catch up, a slave makes sure that it has what it must have; then the rooms are taken down and started anew
 * in the other role, in the same process and store. Cold.
 */
import { messageOf } from '../../runtime/base/errors.js';
import type { Disk } from '../../storage/disk.js';
import { StoreState } from '../store-state.js';
import type { Comeback, Running } from './node-starter.js';
import { setBeyondAside } from './rejoin.js';
import type { RoleRequest } from './role-desk.js';
import { type BrokerRole, keepRole } from './role-file.js';
import { isAtRest, type NodeParts, takeDownForRole, within } from './stop-node.js';

export interface RoleWatchOptions {
  readonly disk: Disk;
  /** A name server is in the same process. */
  readonly isNameServer: boolean;
  running(): Running;
  /** Starts the rooms anew. Errors: those of a start. */
  comeBack(comeback: Comeback): Promise<void>;
  /** The rooms are gone and could not be had again. */
  onFailed(reason: string): void;
}

/** A slave that lacks no more has it in an instant. Units: bytes. */
const NEARLY_ALL_BYTES = 1024 * 1024;
/** How long sends to a new master wait for its first slave, which is the former master most often. Units: ms. */
const SLAVE_COMES_MAX_MS = 1000;
/**
 * How long sends wait for the log to come to rest: clients wait 3 s by default, and what comes after it takes its time
 * too. Units: ms.
 */
const HOLD_MAX_MS = 2000;
/** How often the node looks whether a change of role was asked for. Units: ms. */
const LOOK_EVERY_MS = 50;

export class RoleWatch {
  readonly #options: RoleWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isLost = false;

  constructor(options: RoleWatchOptions) {
    this.#options = options;
  }

  /** A change of role failed half way: there is nothing left to stop. */
  get isLost(): boolean {
    return this.#isLost;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Ends when a change under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  #look(): void {
    this.#turn ??= this.#changeIfAsked().finally(() => {
      this.#turn = undefined;
    });
  }

  async #changeIfAsked(): Promise<void> {
    const { running, onFailed } = this.#options;
    const { host, log } = running().parts;
    let request: RoleRequest | undefined;
    try {
      request = await host.control('coordinator').takeRoleRequest();
    } catch (error) {
      // The room is lost, or busy beyond measure: that is its supervisor's to say.
      log.debug({ reason: messageOf(error) }, 'the coordinator did not say whether another role is asked for');
    }
    if (request === undefined) return;
    try {
      if (await this.#prepare(request)) await this.#comeBack(request);
    } catch (error) {
      this.#isLost = true;
      clearInterval(this.#timer);
      onFailed(`the role could not be changed: ${messageOf(error)}`);
    }
  }

  /** Whether the node is ready for its new role; if not, it goes on in the old one. */
  async #prepare(request: RoleRequest): Promise<boolean> {
    const { running, disk, isNameServer } = this.#options;
    const { parts, kept } = running();
    const { role, host, log } = parts;
    const { brokerRole, brokerId, setAside } = request;
    const asked =
      setAside === undefined
        ? `asked to be ${brokerRole} with brokerId ${brokerId}`
        : `what its log holds from ${setAside.from} to ${setAside.to} is to be set aside`;
    log.info({ ...request }, asked);
    const begin = (): void => role.send({ type: eventOf(request), reason: asked });
    let refusal: string | undefined;
    try {
      refusal = isNameServer
        ? 'a name server runs in the same process, which would go down with it: run them as two'
        : await prepareRole(parts, disk, request, kept.configured!, begin);
    } catch (error) {
      refusal = messageOf(error);
    }
    if (refusal === undefined) return true;
    log.warn({}, `the role stays as it is: ${refusal}`);
    await host.control('transaction-checker').restChecker(false);
    role.send({ type: 'KEEP', reason: refusal });
    await host.control('remoting').holdSends(false);
    await host.control('coordinator').refuseRole(refusal);
    return false;
  }

  async #comeBack(to: RoleRequest): Promise<void> {
    const { running, comeBack } = this.#options;
    const before = running();
    const { host, log, shop } = before.parts;
    const beganMs = performance.now();
    const inputs = await host.control('coordinator').brokerInputs();
    const legacy = await takeDownForRole(before.parts, to.setAside !== undefined);
    const downMs = Math.round(performance.now() - beganMs);
    const isAsItWas = to.setAside?.to === shop.positions.read('appended');
    if (to.setAside !== undefined && !isAsItWas) log.warn({}, 'the log has grown meanwhile: it is not cut');
    const cut = isAsItWas ? { cut: to.setAside } : {};
    await comeBack({ before, inputs, to, legacy, successor: to.successor, ...cut });
    await this.#letSendsGoOn();
    const { brokerRole, brokerId } = to;
    const tookMs = Math.round(performance.now() - beganMs);
    log.info({ brokerRole, brokerId, downMs, tookMs }, `this broker is ${brokerRole} now, with brokerId ${brokerId}`);
  }

  /** A synchronous master stores what it is sent without a slave too, but then nobody else has it. */
  async #letSendsGoOn(): Promise<void> {
    const { host, shop } = this.#options.running().parts;
    const { brokerRole } = await host.control('coordinator').brokerConfig();
    const { storeState, positions } = shop;
    const isSafe = (): boolean =>
      storeState.has(StoreState.HAS_SLAVE) && (positions.read('replicated') > 0 || positions.read('appended') === 0);
    if (brokerRole === 'SYNC_MASTER') await within(SLAVE_COMES_MAX_MS, isSafe);
    await host.control('remoting').holdSends(false);
  }
}

function eventOf({ brokerRole, setAside }: RoleRequest): 'REJOIN' | 'DEMOTE' | 'PROMOTE' {
  if (setAside !== undefined) return 'REJOIN';
  return brokerRole === 'SLAVE' ? 'DEMOTE' : 'PROMOTE';
}

/**
 * Readies the node for its new role and puts the role on the device; why it keeps the old one, else undefined.
 * `begin`: called when the node is in between, serving as a slave would.
 */
export async function prepareRole(
  parts: NodeParts,
  disk: Disk,
  request: RoleRequest,
  configured: BrokerRole,
  begin: () => void,
): Promise<string | undefined> {
  if (request.setAside !== undefined) {
    begin();
    await setBeyondAside(parts, disk, request.setAside);
    return undefined;
  }
  const isToFollow = request.brokerRole === 'SLAVE';
  const refusal = isToFollow ? await readyToFollow(parts, request, begin) : await readyToLead(parts, request, begin);
  if (refusal === undefined) keepRole(disk, parts.store!.paths.config, request, configured);
  return refusal;
}

/** A slave that is to be the master: its log must reach as far as was asked. */
async function readyToLead(
  { shop, log }: NodeParts,
  request: RoleRequest,
  begin: () => void,
): Promise<string | undefined> {
  begin();
  const { expectedEnd, timeoutMs, force } = request;
  const missing = (): number => Math.max(0, expectedEnd - shop.positions.read('appended'));
  if (await within(force ? 0 : timeoutMs, () => missing() === 0)) return undefined;
  const bytes = missing();
  if (!force) return `its log ends ${bytes} bytes before ${expectedEnd}: they would be lost`;
  log.warn({ bytes, expectedEnd }, `it becomes the master without ${bytes} bytes that the old master has`);
  return undefined;
}

/** A master that is to be a slave: sends wait, and what was accepted must be on a slave. */
async function readyToFollow(parts: NodeParts, request: RoleRequest, begin: () => void): Promise<string | undefined> {
  const { shop, log, host } = parts;
  const { timeoutMs, force } = request;
  const { positions, storeState } = shop;
  const missing = (): number => positions.read('appended') - positions.read('replicated');
  // A slave that is far behind, or not there, is no reason to hold sends up.
  const isNear = (): boolean => missing() <= (storeState.has(StoreState.HAS_SLAVE) ? NEARLY_ALL_BYTES : 0);
  if (!force && !(await within(timeoutMs, isNear))) return wouldBeLost(missing(), positions.read('replicated'));
  const remoting = host.control('remoting');
  await remoting.holdSends(true);
  const untilMs = performance.now() + HOLD_MAX_MS;
  const leftMs = (): number => Math.max(0, untilMs - performance.now());
  const isSettled = await within(leftMs(), async () => (await remoting.sendsInFlight()) === 0);
  begin();
  await host.control('transaction-checker').restChecker(true);
  if (!(isSettled && (await within(leftMs(), () => isAtRest(parts))))) {
    return `what it had accepted was not done after ${HOLD_MAX_MS} ms, for which sends were held`;
  }
  if (await within(force ? 0 : leftMs(), () => missing() <= 0)) return undefined;
  const bytes = missing();
  if (!force) return wouldBeLost(bytes, positions.read('replicated'));
  log.warn({ bytes }, `it becomes a slave although no slave is known to have the last ${bytes} bytes of its log`);
  return undefined;
}

function wouldBeLost(bytes: number, replicated: number): string {
  const who = replicated === 0 ? 'no slave has said that it has them' : 'no slave has them';
  return `${bytes} bytes of its log would be lost: ${who}`;
}
