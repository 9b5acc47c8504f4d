/** The answers a name server gives, each with the code and the remark of Java's. Source: spec remoting 2, 4.1. */
import { encodeBody } from '../../protocol/bodies.js';
import { ResponseCode } from '../../protocol/codes.js';
import { createResponse, type ExtFields, type RemotingCommand } from '../../protocol/command.js';

export function success(
  request: RemotingCommand,
  extFields: ExtFields = {},
  body: Uint8Array | null = null,
): RemotingCommand {
  return createResponse(request, ResponseCode.SUCCESS, null, extFields, body);
}

export function successWithBody(request: RemotingCommand, body: object): RemotingCommand {
  return success(request, {}, encodeBody(body));
}

/** What went wrong, in words: a missing field, an unreadable body, a disk that is full. */
export function systemError(request: RemotingCommand, reason: string): RemotingCommand {
  return createResponse(request, ResponseCode.SYSTEM_ERROR, reason);
}

export function notSupported(request: RemotingCommand): RemotingCommand {
  const remark = ` request type ${request.code} not supported`;
  return createResponse(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark);
}

/** Clients add a line of their own unless a remark has this one. Source: FAQUrl. */
const FURTHER_DETAILS = '\nSee http://rocketmq.apache.org/docs/faq/ for further details.';

export function topicNotExist(request: RemotingCommand, topic: string): RemotingCommand {
  const remark = `No topic route info in name server for the topic: ${topic}${FURTHER_DETAILS}`;
  return createResponse(request, ResponseCode.TOPIC_NOT_EXIST, remark);
}

/** `key` is left out when a whole namespace was asked for. */
export function noConfigItem(request: RemotingCommand, namespace: string, key?: string): RemotingCommand {
  const remark = `No config item, Namespace: ${namespace}${key === undefined ? '' : ` Key: ${key}`}`;
  return createResponse(request, ResponseCode.QUERY_NOT_FOUND, remark);
}
