/**
 * Where a change of role is asked for and looked at from outside: requests of RingMQ's own tools, with codes beyond
 * RocketMQ's. Cold.
 *
 * - RINGMQ_GET_ROLE. Answer: code 0 and the fields of {@link RoleFacts}.
 * - RINGMQ_CHANGE_ROLE, `brokerRole` (SYNC_MASTER, ASYNC_MASTER, SLAVE), `brokerId`, `force`, `timeoutMs`,
 *   `expectedEnd` (how far the log must reach), `successor` (address of the broker that is to be the master after this
 *   one). Answer: code 0 when the change was begun; its end is seen with
 *   RINGMQ_GET_ROLE: the role is the new one, or `refusal` says why not.
 * - RINGMQ_REJOIN, `from` and `to` (as `beyondFrom` and `beyondTo` of RINGMQ_GET_ROLE were). Answer: code 0 when the
 *   slave has begun to set aside what its log holds beyond its master's; at the end `haState` is `transfer`, or
 *   `refusal` says why not.
 */
import type { BrokerConfig } from '../../config/index.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { BeyondMaster } from '../coordinator/mailbox.js';
import type { LedSpan } from './led-span.js';
import type { Workshop } from './memory.js';
import { whyNotByItself } from './rejoin.js';
import type { Replication } from './replication-facts.js';
import type { BrokerRole } from './role-file.js';

/** A change that was asked for. Plain data. */
export interface RoleRequest extends BrokerRole {
  /** Messages that would be lost are no reason to refuse. */
  readonly force: boolean;
  /** How long it may wait for the log to come to rest and to be where it must be. */
  readonly timeoutMs: number;
  /** Where the log must reach at least. Units: bytes. */
  readonly expectedEnd: number;
  /** Of a master: who is to be the master after it; '' when nobody is named. */
  readonly successor: string;
  /** A slave that stays one: the end of its log is to be set aside. */
  readonly setAside?: BeyondMaster;
}

export interface RoleDeskOptions {
  readonly shop: Workshop;
  /** What this broker wrote as a master. */
  readonly led: LedSpan | undefined;
  /** Path of the file with the end of the log that was set aside last; '' when none was. */
  readonly lastSetAside: string;
  readonly log: Logger;
  nowMs(): number;
  config(): BrokerConfig;
  replication(): Replication;
  /** A name server has taken this broker in. */
  isRegistered(): boolean;
  /** `host:port` for slaves. */
  haServerAddr(): string;
}

const roles: ReadonlySet<string> = new Set(['SYNC_MASTER', 'ASYNC_MASTER', 'SLAVE']);
const TIMEOUT_MAX_MS = 600_000;
/** What was refused (a full disk, for example) is tried again after so long. Units: ms. */
const REJOIN_AGAIN_MS = 60_000;

export class RoleDesk {
  readonly #options: RoleDeskOptions;
  #asked: RoleRequest | undefined;
  #changing = false;
  #refusal = '';
  /** Where the end of the log begins that was last looked at, and when to do it again. */
  #lookedAt = -1;
  #lookAgainMs = 0;

  constructor(options: RoleDeskOptions) {
    this.#options = options;
  }

  /** The answer; undefined when it is another request. */
  answer(request: RemotingCommand): RemotingCommand | undefined {
    switch (request.code) {
      case RequestCode.RINGMQ_GET_ROLE:
        return createResponse(request, ResponseCode.SUCCESS, null, this.#facts());
      case RequestCode.RINGMQ_CHANGE_ROLE:
        return this.#change(request);
      case RequestCode.RINGMQ_REJOIN:
        return this.#rejoin(request);
      default:
        return undefined;
    }
  }

  /** What is to be done, once. */
  take(): RoleRequest | undefined {
    const asked = this.#asked ?? this.#rejoinByItself();
    this.#asked = undefined;
    return asked;
  }

  /** A former master does it without being asked, where nothing speaks against it. */
  #rejoinByItself(): RoleRequest | undefined {
    const { config, replication, led, shop, log, nowMs } = this.#options;
    const beyond = replication().receiver?.beyond;
    if (beyond === undefined || this.#changing || config().brokerRole !== 'SLAVE') return undefined;
    if (this.#lookedAt === beyond.from && nowMs() < this.#lookAgainMs) return undefined;
    this.#lookedAt = beyond.from;
    this.#lookAgainMs = nowMs() + REJOIN_AGAIN_MS;
    const rules = { led, maxBytes: config().setAsideMaxBytes, minimum: shop.positions.read('minimum') };
    const why = whyNotByItself(beyond, rules);
    if (why === undefined) return this.#toRejoin(beyond);
    const where = `${beyond.to - beyond.from} bytes of its log behind ${beyond.from}`;
    log.error({ ...beyond }, `${where}, which its master does not have, are not set aside without being asked: ${why}`);
    return undefined;
  }

  #toRejoin(setAside: BeyondMaster): RoleRequest {
    const { brokerRole, brokerId } = this.#options.config();
    this.#changing = true;
    this.#refusal = '';
    return { brokerRole, brokerId, force: false, timeoutMs: 0, expectedEnd: 0, successor: '', setAside };
  }

  #rejoin(request: RemotingCommand): RemotingCommand {
    const { config, replication } = this.#options;
    const { from, to } = request.extFields;
    const { beyond, trouble = '' } = replication().receiver ?? {};
    const fault = (): string | undefined => {
      if (this.#changing) return 'a change of role is under way';
      if (config().brokerRole !== 'SLAVE') return 'this broker is a master: a slave rejoins one';
      if (beyond === undefined) return `there is nothing to set aside${trouble === '' ? '' : `: ${trouble}`}`;
      if (Number(from) === beyond.from && Number(to) === beyond.to) return undefined;
      return `what is beyond the master's log reaches from ${beyond.from} to ${beyond.to}, not from ${from} to ${to}`;
    };
    const reason = fault();
    if (reason !== undefined) return createResponse(request, ResponseCode.SYSTEM_ERROR, reason);
    this.#asked = this.#toRejoin(beyond!);
    return createResponse(request, ResponseCode.SUCCESS);
  }

  refuse(reason: string): void {
    this.#changing = false;
    this.#refusal = reason;
  }

  #change(request: RemotingCommand): RemotingCommand {
    const asked = readRequest(request);
    const fault = typeof asked === 'string' ? asked : this.#faultOf(asked);
    if (fault !== undefined) return createResponse(request, ResponseCode.SYSTEM_ERROR, fault);
    this.#asked = asked as RoleRequest;
    this.#changing = true;
    this.#refusal = '';
    return createResponse(request, ResponseCode.SUCCESS);
  }

  #faultOf({ brokerRole }: RoleRequest): string | undefined {
    if (this.#changing) return 'a change of role is under way';
    const { brokerRole: current } = this.#options.config();
    const isSlave = current === 'SLAVE';
    if (isSlave === (brokerRole === 'SLAVE')) return `this broker is ${isSlave ? 'a slave' : 'a master'} already`;
    return undefined;
  }

  #facts(): RoleFacts {
    const { shop, config, replication, isRegistered, haServerAddr } = this.#options;
    const { brokerRole, brokerId, brokerName } = config();
    const { slaves, receiver } = replication();
    return {
      brokerName,
      brokerRole,
      brokerId,
      changing: this.#changing,
      refusal: this.#refusal,
      minimum: shop.positions.read('minimum'),
      appended: shop.positions.read('appended'),
      replicated: shop.positions.read('replicated'),
      slaves: slaves.length,
      haState: receiver?.state ?? '',
      haTrouble: receiver?.trouble ?? '',
      beyondFrom: receiver?.beyond?.from ?? -1,
      beyondTo: receiver?.beyond?.to ?? -1,
      lastSetAside: this.#options.lastSetAside,
      registered: isRegistered(),
      haServerAddr: haServerAddr(),
    };
  }
}

/** What a broker says of its role. Positions in bytes. */
export type RoleFacts = {
  readonly brokerName: string;
  readonly brokerRole: string;
  readonly brokerId: number;
  readonly changing: boolean;
  /** Why the change asked for last was refused; '' when it was not. */
  readonly refusal: string;
  readonly minimum: number;
  readonly appended: number;
  /** How far the furthest slave has the log, since this broker is what it is; 0 when none has said. */
  readonly replicated: number;
  readonly slaves: number;
  /** Of the link to the master. */
  readonly haState: string;
  readonly haTrouble: string;
  /** What the log holds beyond the master's; -1 when that is nothing, or not known. */
  readonly beyondFrom: number;
  readonly beyondTo: number;
  readonly lastSetAside: string;
  readonly registered: boolean;
  /** `host:port` where slaves connect. */
  readonly haServerAddr: string;
};

/** The request; in words what is wrong with it. */
function readRequest({ extFields }: RemotingCommand): RoleRequest | string {
  const { brokerRole = '', force = 'false' } = extFields;
  if (!roles.has(brokerRole)) return `brokerRole must be one of ${[...roles].join(', ')}: ${brokerRole}`;
  const number = (text: string | undefined, max: number): number | undefined =>
    text !== undefined && /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
  const brokerId = number(extFields.brokerId, 2 ** 31 - 1);
  if (brokerId === undefined || (brokerRole === 'SLAVE') !== brokerId > 0) {
    return `brokerId must be 0 for a master and more for a slave: ${extFields.brokerId}`;
  }
  const timeoutMs = number(extFields.timeoutMs ?? '10000', TIMEOUT_MAX_MS);
  if (timeoutMs === undefined) return `timeoutMs must be from 0 to ${TIMEOUT_MAX_MS}: ${extFields.timeoutMs}`;
  const expectedEnd = number(extFields.expectedEnd ?? '0', Number.MAX_SAFE_INTEGER);
  if (expectedEnd === undefined) return `expectedEnd must be a position: ${extFields.expectedEnd}`;
  const { successor = '' } = extFields;
  if (successor !== '' && (brokerRole !== 'SLAVE' || !/^.+:\d{1,5}$/.test(successor))) {
    return `successor must be the address (host:port) of the master that follows a master: ${successor}`;
  }
  return {
    brokerRole: brokerRole as RoleRequest['brokerRole'],
    brokerId,
    force: force === 'true',
    timeoutMs,
    expectedEnd,
    successor,
  };
}
