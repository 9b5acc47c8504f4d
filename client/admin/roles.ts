/**
 * The roles of RingMQ's brokers: which of a name is the master, and changing that while they run. Only RingMQ knows
 * these requests; RocketMQ's brokers have the role of their file until they are started anew.
 */
import { RequestCode } from '../../protocol/codes.js';
import { MQClientError } from '../errors.js';
import type { AdminCaller } from './caller.js';

/** A master that waits for its slave, one that does not, a slave. */
export type BrokerRoleName = 'SYNC_MASTER' | 'ASYNC_MASTER' | 'SLAVE';

/** What a broker says of its role. Positions are bytes of its log. */
export interface RoleState {
  readonly address: string;
  readonly brokerName: string;
  readonly brokerRole: BrokerRoleName;
  /** 0 is the master. */
  readonly brokerId: number;
  /** The oldest byte it still has. */
  readonly minimum: number;
  /** Where its log ends. */
  readonly appended: number;
  /** Of a slave's link to its master: `transfer` when it follows. */
  readonly haState: string;
  readonly changing: boolean;
  /** Why the change asked for last was refused; '' when it was not. */
  readonly refusal: string;
  /** A name server has taken it in. */
  readonly registered: boolean;
}

/** What a broker is to be. */
export interface RoleChange {
  readonly brokerRole: BrokerRoleName;
  /** 0 for a master, more for a slave. */
  readonly brokerId: number;
  /** How far its log must reach before it leads: where the old master's log ends. Units: bytes. */
  readonly expectedEnd?: number | undefined;
  /** Of a master that becomes a slave: address of who leads next; what clients still send it goes there. */
  readonly successor?: string | undefined;
  /** Messages that would be lost are no reason to refuse. */
  readonly force?: boolean | undefined;
  /** How long the broker may take to get ready. Default 10,000. Units: ms. */
  readonly patienceMs?: number | undefined;
}

const PATIENCE_DEFAULT_MS = 10_000;
/** What a broker may take beyond its patience: to stop its rooms and start them again. Units: ms. */
const COME_BACK_MAX_MS = 60_000;
const LOOK_EVERY_MS = 25;

export class RoleAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  /** What a broker is now. Errors: MQBrokerError, MQClientError. */
  async state(brokerAddr: string): Promise<RoleState> {
    const { extFields } = await this.#caller.ask(brokerAddr, RequestCode.RINGMQ_GET_ROLE);
    return {
      address: brokerAddr,
      brokerName: extFields.brokerName ?? '',
      brokerRole: extFields.brokerRole as BrokerRoleName,
      brokerId: Number(extFields.brokerId),
      minimum: Number(extFields.minimum),
      appended: Number(extFields.appended),
      haState: extFields.haState ?? '',
      changing: extFields.changing === 'true',
      refusal: extFields.refusal ?? '',
      registered: extFields.registered === 'true',
    };
  }

  /**
   * Has a broker change its role and gives its state when it has. A master becomes a slave when a slave has all it has
   * acknowledged; nobody but the caller makes sure that a name has one master only, so demote before you promote.
   * Errors: MQBrokerError; MQClientError ROLE_REFUSED with the broker's reason: it is then what it was before.
   */
  async change(brokerAddr: string, wanted: RoleChange): Promise<RoleState> {
    const { brokerRole, brokerId, expectedEnd, successor, force = false, patienceMs = PATIENCE_DEFAULT_MS } = wanted;
    const fields = { brokerRole, brokerId, expectedEnd, successor, force, timeoutMs: patienceMs };
    await this.#caller.ask(brokerAddr, RequestCode.RINGMQ_CHANGE_ROLE, fields);
    const isDone = (state: RoleState): boolean => {
      if (state.refusal === '' || state.changing) return state.brokerRole === brokerRole;
      throw new MQClientError('ROLE_REFUSED', `${brokerAddr} stays what it is: ${state.refusal}`);
    };
    return this.#until(brokerAddr, isDone, patienceMs + COME_BACK_MAX_MS, `${brokerAddr} did not become ${brokerRole}`);
  }

  /**
   * Waits until name servers know a broker in its new role, and until it follows its master when it has one to follow.
   * Errors: MQClientError REQUEST_TIMEOUT.
   */
  settled(brokerAddr: string, { follows = false, patienceMs = PATIENCE_DEFAULT_MS } = {}): Promise<RoleState> {
    const isSettled = (state: RoleState): boolean => state.registered && (!follows || state.haState === 'transfer');
    const what = `${brokerAddr} has its new role but ${follows ? 'does not follow the master' : 'is not registered'}`;
    return this.#until(brokerAddr, isSettled, patienceMs, what);
  }

  /** Errors: what `isSo` throws; MQClientError REQUEST_TIMEOUT that begins with `what`. */
  async #until(
    brokerAddr: string,
    isSo: (state: RoleState) => boolean,
    patienceMs: number,
    what: string,
  ): Promise<RoleState> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      // Its ports are closed for a moment while its rooms are started anew.
      const state = await this.state(brokerAddr).catch(() => undefined);
      if (state !== undefined && isSo(state)) return state;
      if (performance.now() > untilMs) throw new MQClientError('REQUEST_TIMEOUT', `${what} after ${patienceMs} ms`);
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}
