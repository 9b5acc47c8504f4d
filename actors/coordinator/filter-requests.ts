/**
 * CHECK_CLIENT_CONFIG (46): a client asks whether its filter will be understood, before it subscribes. The pull itself
 * would tell too late. Source: spec remoting 4.2; ClientManageProcessor.checkClientConfig.
 */
import { decodeCheckClientRequestBody } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse } from '../../protocol/command.js';
import { parseSqlExpression, SqlExpressionError } from '../../protocol/sql-filter.js';
import type { Handler } from './handler.js';

const checkClientConfig: Handler = (state, request) => {
  const { subscriptionData } = decodeCheckClientRequestBody(request.body);
  const type = subscriptionData?.expressionType ?? 'TAG';
  if (subscriptionData === undefined || type === '' || type === 'TAG') {
    return createResponse(request, ResponseCode.SUCCESS);
  }
  if (!state.settings.enablePropertyFilter) {
    const remark = `The broker does not support consumer to filter message by ${type}`;
    return createResponse(request, ResponseCode.SYSTEM_ERROR, remark);
  }
  const fault = expressionFault(type, subscriptionData.subString);
  return fault === undefined
    ? createResponse(request, ResponseCode.SUCCESS)
    : createResponse(request, ResponseCode.SUBSCRIPTION_PARSE_FAILED, fault);
};

/** What is wrong with an expression, undefined when nothing is. */
function expressionFault(type: string, expression: string): string | undefined {
  if (type !== 'SQL92') return `there are no expressions of type ${type}`;
  try {
    parseSqlExpression(expression);
    return undefined;
  } catch (error) {
    if (error instanceof SqlExpressionError) return error.message;
    throw error;
  }
}

export const filterHandlers: ReadonlyMap<number, Handler> = new Map([
  [RequestCode.CHECK_CLIENT_CONFIG, checkClientConfig],
]);
