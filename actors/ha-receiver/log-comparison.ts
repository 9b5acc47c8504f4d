/**
 * Do the two logs fit together? The HA protocol has no way to ask: it compares lengths, and bytes of another history
 * would be appended to these. So before a slave connects, its last record is compared with the master's at the same
 * place, by requests that every master answers. Cold.
 * Source: design of RingMQ; spec remoting 4.2 (VIEW_MESSAGE_BY_ID, GET_BROKER_RUNTIME_INFO).
 */
import { Connection } from '../../client/connection.js';
import { decodeKVTable } from '../../protocol/bodies.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createRequest } from '../../protocol/command.js';
import { messageOf } from '../../runtime/base/errors.js';

export interface LogComparison {
  /** `host:port` that serves requests. */
  readonly masterAddr: string;
  /** Where this slave's last record begins, and its bytes. */
  readonly lastRecordOffset: number;
  readonly lastRecord: Uint8Array;
  /** Where its log ends. */
  readonly end: number;
  readonly timeoutMs: number;
}

export type ComparisonResult =
  /** They do, or the master could not be asked: `remark` says why not. */
  | { readonly fits: true; readonly remark: string }
  /** What was found, and what is to be done. */
  | { readonly fits: false; readonly reason: string };

export async function compareLogs(comparison: LogComparison): Promise<ComparisonResult> {
  const { masterAddr, lastRecordOffset, lastRecord, timeoutMs } = comparison;
  const colon = masterAddr.lastIndexOf(':');
  let connection: Connection | undefined;
  try {
    connection = await Connection.open({
      host: masterAddr.slice(0, colon),
      port: Number(masterAddr.slice(colon + 1)),
      connectTimeoutMs: timeoutMs,
    });
    const request = createRequest(RequestCode.VIEW_MESSAGE_BY_ID, { offset: lastRecordOffset });
    const answer = await connection.request(request, timeoutMs);
    if (answer.code === ResponseCode.SUCCESS && answer.body !== null && equal(answer.body, lastRecord)) {
      return { fits: true, remark: '' };
    }
    return await explain(connection, comparison);
  } catch (error) {
    return { fits: true, remark: messageOf(error) };
  } finally {
    void connection?.close();
  }
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** The master has another record there, or none: its bounds tell which. */
async function explain(connection: Connection, comparison: LogComparison): Promise<ComparisonResult> {
  const { masterAddr, lastRecordOffset, end, timeoutMs } = comparison;
  const answer = await connection.request(createRequest(RequestCode.GET_BROKER_RUNTIME_INFO), timeoutMs);
  if (answer.code !== ResponseCode.SUCCESS || answer.body === null) {
    return { fits: true, remark: `the master answers the question for its log with code ${answer.code}` };
  }
  const { table } = decodeKVTable(answer.body);
  const minimum = Number(table.commitLogMinOffset);
  const maximum = Number(table.commitLogMaxOffset);
  if (!Number.isSafeInteger(minimum) || !Number.isSafeInteger(maximum)) {
    return { fits: true, remark: 'the master does not say how far its log reaches' };
  }
  const follow = `to follow the master at ${masterAddr}, stop this broker and move its store away`;
  if (end > maximum) {
    return {
      fits: false,
      reason:
        `this slave's log reaches to ${end}, the master's only to ${maximum}: it holds messages that the master does ` +
        `not have. Was the master started on an older or another store? Keep the log that counts: ${follow}; to keep ` +
        "the slave's messages, make it the master",
    };
  }
  if (end < minimum) {
    return {
      fits: false,
      reason:
        `this slave's log ends at ${end}, and the master's begins at ${minimum}: the files between were deleted. ` +
        `A slave that begins anew gets the newest file: ${follow}`,
    };
  }
  // The file with the record is gone on the master, the next one is there: nothing is left to compare with.
  if (lastRecordOffset < minimum) return { fits: true, remark: "the slave's last record is no longer on the master" };
  return {
    fits: false,
    reason:
      `this slave's last record, at ${lastRecordOffset}, is not what the master has there: the two logs have gone ` +
      `different ways, and bytes of one cannot continue the other. Keep the log that counts: ${follow}`,
  };
}
