/** What a pull brought. Source: spec remoting 6.3; PullAPIWrapper. */
import { ResponseCode } from '../protocol/codes.js';
import type { RemotingCommand } from '../protocol/command.js';
import { MQClientError } from './errors.js';
import { decodeMessages, type MessageExt } from './message-ext.js';
import { matchesTags } from './tag-filter.js';

/**
 * FOUND: there are messages, though the tag check may have dropped all of them. NO_NEW_MSG: the end of the queue.
 * NO_MATCHED_MSG: none of those looked at has the tag. OFFSET_ILLEGAL: the queue does not reach there.
 * In every case nextBeginOffset is where to go on.
 */
export type PullStatus = 'FOUND' | 'NO_NEW_MSG' | 'NO_MATCHED_MSG' | 'OFFSET_ILLEGAL';

/** Units: offsets are entries of the queue; maxOffset is one past the last. */
export interface PullResult {
  readonly pullStatus: PullStatus;
  readonly nextBeginOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly messages: readonly MessageExt[];
}

const pullStatuses: Readonly<Record<number, PullStatus>> = {
  [ResponseCode.SUCCESS]: 'FOUND',
  [ResponseCode.PULL_NOT_FOUND]: 'NO_NEW_MSG',
  [ResponseCode.PULL_RETRY_IMMEDIATELY]: 'NO_MATCHED_MSG',
  [ResponseCode.PULL_OFFSET_MOVED]: 'OFFSET_ILLEGAL',
};
/** Response codes that are a pull result. */
export const pullCodes = Object.keys(pullStatuses).map(Number);

/** Messages without one of `tags` are dropped, none of them without `tags`. Errors: MQClientError BAD_ANSWER. */
export function pullResultOf(answer: RemotingCommand, tags: ReadonlySet<string> | undefined): PullResult {
  const records = answer.code === ResponseCode.SUCCESS ? answer.body : null;
  return {
    pullStatus: pullStatuses[answer.code]!,
    nextBeginOffset: numberField(answer, 'nextBeginOffset'),
    minOffset: numberField(answer, 'minOffset'),
    maxOffset: numberField(answer, 'maxOffset'),
    messages: records === null ? [] : decodeMessages(records).filter(message => matchesTags(tags, message.tags)),
  };
}

/** A number of an answer's ext fields. Errors: MQClientError BAD_ANSWER. */
export function numberField(answer: RemotingCommand, name: string): number {
  const value = Number(answer.extFields[name]);
  if (Number.isNaN(value)) throw new MQClientError('BAD_ANSWER', `an answer lacks the number ${name}`);
  return value;
}
