/**
 * Where a change of role is asked for and looked at from outside: requests of RingMQ's own tools, with codes beyond
 * RocketMQ's. Cold.
 *
 * - RINGMQ_GET_ROLE. Answer: code 0 and the fields of {@link RoleFacts}.
 * - RINGMQ_CHANGE_ROLE, `brokerRole` (SYNC_MASTER, ASYNC_MASTER, SLAVE), `brokerId`, `force`, `timeoutMs`,
 *   `expectedEnd` (how far the log must reach), `successor` (address of the broker that is to be the master after this
 *   one). Answer: code 0 when the change was begun; its end is seen with
 *   RINGMQ_GET_ROLE: the role is the new one, or `refusal` says why not.
 */
import type { BrokerConfig } from '../../config/index.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import type { Workshop } from './memory.js';
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
}

export interface RoleDeskOptions {
  readonly shop: Workshop;
  config(): BrokerConfig;
  replication(): Replication;
  /** A name server has taken this broker in. */
  isRegistered(): boolean;
  /** `host:port` for slaves. */
  haServerAddr(): string;
}

const roles: ReadonlySet<string> = new Set(['SYNC_MASTER', 'ASYNC_MASTER', 'SLAVE']);
const TIMEOUT_MAX_MS = 600_000;

export class RoleDesk {
  readonly #options: RoleDeskOptions;
  #asked: RoleRequest | undefined;
  #changing = false;
  #refusal = '';

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
      default:
        return undefined;
    }
  }

  /** What is to be done, once. */
  take(): RoleRequest | undefined {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
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
