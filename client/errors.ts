/**
 * What can go wrong in the client: one table of codes, one error class, and two subclasses that carry more.
 *
 * @example
 * try {
 *   await producer.send({ topic: 'Orders', body: 'hello' });
 * } catch (error) {
 *   if (error instanceof MQBrokerError) console.error(error.responseCodeName, error.remark, error.brokerAddr);
 *   else if (error instanceof MQTimeoutError) console.error(`no answer within ${error.timeoutMs} ms`);
 *   else throw error;
 * }
 */

import { responseCodeName } from '../protocol/codes.js';
import type { RemotingCommand } from '../protocol/command.js';

export const clientErrorCodes = {
  CONNECT_FAILED: 'a peer cannot be reached',
  CONNECTION_CLOSED: 'the connection closed before the answer came',
  REQUEST_TIMEOUT: 'a peer did not answer in time',
  REFUSED: 'a peer answered with a response code that is not success',
  TOO_MANY_REQUESTS: 'more requests or bytes wait on a connection than it may hold',
  NO_ROUTE: 'no name server knows the topic, or no broker of it can serve the request',
  BAD_ANSWER: 'a peer sent what is not the protocol',
  MESSAGE_ILLEGAL: 'the message cannot be sent as it is',
  INVALID_ARGUMENT: 'an option or argument cannot be used',
  UNSUPPORTED_COMPRESSION: 'the body of a message is compressed in a way this client cannot undo',
  ROLE_REFUSED: 'a broker keeps the role it has',
  NOT_RUNNING: 'the client is not started, or is shut down',
} as const;

export type ClientErrorCode = keyof typeof clientErrorCodes;

/** Any failure of the client. `code` says which kind; `cause` keeps what led to it. */
export class MQClientError extends Error {
  override readonly name: string = 'MQClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** No answer within the limit. The peer may have done what was asked all the same. Units: ms. */
export class MQTimeoutError extends MQClientError {
  override readonly name = 'MQTimeoutError';
  readonly timeoutMs: number;
  readonly address: string;

  constructor(address: string, timeoutMs: number, what = 'answer') {
    super('REQUEST_TIMEOUT', `no ${what} from ${address} within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
    this.address = address;
  }
}

/** A broker or name server answered, and the answer is an error. Source: spec remoting 2. */
export class MQBrokerError extends MQClientError {
  override readonly name = 'MQBrokerError';
  readonly responseCode: number;
  /** "NO_PERMISSION", or the number when it has no name. */
  readonly responseCodeName: string;
  readonly remark: string | null;
  readonly brokerAddr: string;

  constructor(response: Pick<RemotingCommand, 'code' | 'remark'>, brokerAddr: string) {
    const name = responseCodeName(response.code);
    super('REFUSED', `${brokerAddr} answered ${name} (${response.code}): ${response.remark ?? 'no remark'}`);
    this.responseCode = response.code;
    this.responseCodeName = name;
    this.remark = response.remark;
    this.brokerAddr = brokerAddr;
  }
}

/** True when the peer could not be reached, hung up or stayed silent: another peer may do better. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof MQClientError)) return false;
  return (
    error.code === 'CONNECT_FAILED' ||
    error.code === 'CONNECTION_CLOSED' ||
    error.code === 'REQUEST_TIMEOUT' ||
    error.code === 'BAD_ANSWER' ||
    error.code === 'TOO_MANY_REQUESTS'
  );
}
