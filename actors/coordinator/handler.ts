/** What a handler of a request is, and the answers most of them give. */
import { encodeBody } from '../../protocol/bodies.js';
import { ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import type { CoordinatorState } from './state.js';

/** Who asks. */
export interface Sender {
  readonly connectionId: number;
  /** `ip:port`. */
  readonly address: string;
}

/** A promise answers later, after other requests of the same connection. */
export type Handler = (
  state: CoordinatorState,
  request: RemotingCommand,
  sender: Sender,
) => RemotingCommand | Promise<RemotingCommand>;

export function success(request: RemotingCommand): RemotingCommand {
  return createResponse(request, ResponseCode.SUCCESS);
}

export function successWithBody(request: RemotingCommand, body: object): RemotingCommand {
  return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeBody(body));
}

export function systemError(request: RemotingCommand, remark: string): RemotingCommand {
  return createResponse(request, ResponseCode.SYSTEM_ERROR, remark);
}

/** Source: spec ha 6; AdminBrokerProcessor.validateSlave. */
export function refuseOnSlave(request: RemotingCommand): RemotingCommand {
  return systemError(
    request,
    "Can't modify topic or subscription group from slave broker, please execute it from master broker.",
  );
}

/** Long integers may be beyond what a number holds exactly: they become the nearest that is. NaN for what is none. */
export function longField(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^-?\d{1,19}$/.test(text)) return Number.NaN;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}
