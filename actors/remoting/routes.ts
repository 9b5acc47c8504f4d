/**
 * Which room answers which request code, by the kind of port it came in on. Source: BrokerController's registration
 * table.
 */
import { RequestCode } from '../../protocol/codes.js';

export type RoomName = 'sendLane' | 'pullLane' | 'coordinator' | 'nameRegistry' | 'forwarder';

/** `broker`: listenPort; `vip`: listenPort - 2, the same without pulls; `namesrv`: the name server's port. */
export type ListenerKind = 'broker' | 'vip' | 'namesrv';

/** Requests that store a message. */
const sendCodes: readonly number[] = [
  RequestCode.CONSUMER_SEND_MSG_BACK,
  RequestCode.END_TRANSACTION,
  RequestCode.RESUME_CHECK_HALF_MESSAGE,
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE_V2,
];

/** Requests that read the log or a consume queue. */
const readCodes: readonly number[] = [
  RequestCode.QUERY_MESSAGE,
  RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
  RequestCode.GET_MAX_OFFSET,
  RequestCode.GET_MIN_OFFSET,
  RequestCode.GET_EARLIEST_MSG_STORETIME,
  RequestCode.VIEW_MESSAGE_BY_ID,
];
const pullCodes: readonly number[] = [RequestCode.PULL_MESSAGE, RequestCode.LITE_PULL_MESSAGE];

/** What clients ask of a master only, besides sends: a slave's offsets and locks count for nothing. */
const masterCodes: readonly number[] = [
  RequestCode.QUERY_CONSUMER_OFFSET,
  RequestCode.UPDATE_CONSUMER_OFFSET,
  RequestCode.LOCK_BATCH_MQ,
  RequestCode.UNLOCK_BATCH_MQ,
];

/**
 * Whether a broker that has just been the master sends this on to the new one, for clients that do not know yet.
 * RESUME_CHECK_HALF_MESSAGE is an administrator's, who names the broker that is meant.
 */
export function isPassedOn(code: number, kind: ListenerKind): boolean {
  if (kind === 'namesrv' || code === RequestCode.RESUME_CHECK_HALF_MESSAGE) return false;
  return sendCodes.includes(code) || masterCodes.includes(code);
}

/** The room for `code`. Codes that nobody knows go to a room that answers REQUEST_CODE_NOT_SUPPORTED. */
export function routeOf(code: number, kind: ListenerKind): RoomName {
  if (kind === 'namesrv') return 'nameRegistry';
  if (sendCodes.includes(code)) return 'sendLane';
  if (readCodes.includes(code)) return 'pullLane';
  if (kind === 'broker' && pullCodes.includes(code)) return 'pullLane';
  return 'coordinator';
}
