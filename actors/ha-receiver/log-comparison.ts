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
import { readRecord } from '../../storage/record-reader.js';
import { type AgreedPoint, findAgreedPoint, type MasterLog, type OwnLog, stillPartsAt } from './agreed-point.js';

export interface LogComparison {
  /** `host:port` that serves requests. */
  readonly masterAddr: string;
  readonly own: OwnLog;
  /** Where this slave's last record begins. */
  readonly lastRecordOffset: number;
  /** Where the logs parted when they were compared before, and this log ended where it does now. */
  readonly partedAt: AgreedPoint | undefined;
  readonly timeoutMs: number;
}

export type ComparisonResult =
  /** They do, or the master could not be asked: `remark` says why not. */
  | { readonly fits: true; readonly remark: string }
  /**
   * What was found, and what is to be done; `agreed`: up to where they are the same, when that is known. `undecided`:
   * the master does not have this slave's last record there, and cannot say yet what it has.
   */
  | { readonly fits: false; readonly reason: string; readonly agreed?: AgreedPoint; readonly undecided?: true };

export async function compareLogs(comparison: LogComparison): Promise<ComparisonResult> {
  const { masterAddr, own, lastRecordOffset, timeoutMs } = comparison;
  const lastRecord = readRecord(own.reader, lastRecordOffset, own.minimum, own.end);
  if (lastRecord === undefined) return { fits: true, remark: 'there is no last record' };
  const colon = masterAddr.lastIndexOf(':');
  let connection: Connection | undefined;
  let isAsked = false;
  try {
    connection = await Connection.open({
      host: masterAddr.slice(0, colon),
      port: Number(masterAddr.slice(colon + 1)),
      connectTimeoutMs: timeoutMs,
    });
    const theirs = await recordAt(connection, lastRecordOffset, timeoutMs);
    isAsked = true;
    const isSame = theirs !== undefined && Buffer.compare(theirs, lastRecord) === 0;
    // Behind the last record there may be the padding of its file, which the master need not have.
    if (isSame && lastRecordOffset + lastRecord.length === own.end) return { fits: true, remark: '' };
    return await explain(connection, comparison, isSame);
  } catch (error) {
    return isAsked ? undecided(messageOf(error)) : { fits: true, remark: messageOf(error) };
  } finally {
    void connection?.close();
  }
}

/** A Java broker fails at the question for its log in its first second, since it has no sample of its rates yet. */
function undecided(why: string): ComparisonResult {
  const reason = `the master does not have this slave's last record in the same place, and does not say how far its log reaches: ${why}`;
  return { fits: false, reason, undecided: true };
}

/** Errors: Error when the master answers with anything but the bytes there, or that it has no message there. */
async function recordAt(connection: Connection, offset: number, timeoutMs: number): Promise<Uint8Array | undefined> {
  const request = createRequest(RequestCode.VIEW_MESSAGE_BY_ID, { offset });
  const { code, body, remark } = await connection.request(request, timeoutMs);
  if (code === ResponseCode.SUCCESS) return body ?? undefined;
  if (code === ResponseCode.SYSTEM_ERROR) return undefined;
  throw new Error(`the master answers the question for its record at ${offset} with code ${code}: ${remark}`);
}

/** The master has another record there, or none: its bounds tell which. */
async function explain(connection: Connection, comparison: LogComparison, isSame: boolean): Promise<ComparisonResult> {
  const { masterAddr, lastRecordOffset, timeoutMs } = comparison;
  const { end } = comparison.own;
  const answer = await connection.request(createRequest(RequestCode.GET_BROKER_RUNTIME_INFO), timeoutMs);
  if (answer.code !== ResponseCode.SUCCESS || answer.body === null) {
    return undecided(`it answers with code ${answer.code}: ${answer.remark}`);
  }
  const { table } = decodeKVTable(answer.body);
  const minimum = Number(table.commitLogMinOffset);
  const maximum = Number(table.commitLogMaxOffset);
  if (!Number.isSafeInteger(minimum) || !Number.isSafeInteger(maximum)) {
    return undecided('commitLogMinOffset and commitLogMaxOffset are missing');
  }
  if (isSame && end <= maximum) return { fits: true, remark: '' };
  const follow = `to follow the master at ${masterAddr}, stop this broker and move its store away`;
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
  const found =
    end > maximum
      ? `this slave's log reaches to ${end}, the master's only to ${maximum}: it holds messages that the master does not have`
      : `this slave's last record, at ${lastRecordOffset}, is not what the master has there: the two logs have gone ` +
        'different ways, and bytes of one cannot continue the other';
  const master: MasterLog = { minimum, maximum, recordAt: offset => recordAt(connection, offset, timeoutMs) };
  const agreed = await agreedPoint(comparison, master);
  if (typeof agreed === 'object') return { fits: false, reason: `${found}. ${wayBack(agreed, end)}`, agreed };
  return {
    fits: false,
    reason:
      `${found}, and ${agreed}. Was the master started on an older or another store? Keep the log that counts: ` +
      `${follow}; to keep the slave's messages, make it the master`,
  };
}

/** In words when there is none. */
async function agreedPoint({ own, partedAt }: LogComparison, master: MasterLog): Promise<AgreedPoint | string> {
  try {
    if (partedAt !== undefined && (await stillPartsAt(own, master, partedAt))) return partedAt;
    return (await findAgreedPoint(own, master)) ?? 'no record that both might have is the same in both';
  } catch (error) {
    return `up to where they agree could not be found: ${messageOf(error)}`;
  }
}

function wayBack({ position }: AgreedPoint, end: number): string {
  return (
    `They agree up to ${position}; the ${end - position} bytes behind that can be set aside in a file, so that this ` +
    'broker follows: `ringmq rejoin` with its address. To keep them where they are, make this broker the master'
  );
}
