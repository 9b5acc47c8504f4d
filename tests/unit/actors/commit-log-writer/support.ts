/** A commit log writer on a disk in memory, and what its log holds. */
import { CommitLogWriter } from '../../../../actors/commit-log-writer/actor.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { SharedFlags } from '../../../../runtime/memory/flags.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { TraceSwitch } from '../../../../runtime/trace/recorder.js';
import { CommitLogAppender } from '../../../../storage/commit-log-appender.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { recordsOfLog } from '../../../support/log-records.js';
import type { RawRecord } from '../../../support/raw-record.js';
import { buildRecord } from '../../../support/record-builder.js';
import {
  type AppendFields,
  CountingBell,
  makeRecorder,
  makeRing,
  putAppend,
  takeOutbound,
} from '../../../support/rooms.js';

export const logFolder = '/store/commitlog';

export interface WriterRoomOptions {
  readonly segmentSize?: number;
  readonly inboxes?: number;
  readonly resultBytes?: number;
  readonly queueOffsets?: readonly number[];
  readonly end?: number;
  /** One more inbox: that of a room that appends for the broker. */
  readonly room?: boolean;
}

export class WriterRoom {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory);
  readonly positions = new Positions();
  readonly storeState = new SharedFlags();
  readonly counters = new Counters();
  readonly traceSwitch = new TraceSwitch();
  readonly recorder = makeRecorder(this.traceSwitch);
  readonly remotingBell = new CountingBell();
  readonly followerBell = new CountingBell();
  readonly inboxes;
  readonly results;
  /** Results of the last inbox, when it is that of a room. */
  readonly roomResults = makeRing(64 * 1024);
  readonly roomBell = new CountingBell();
  /** Records of a master. */
  readonly replica = makeRing(64 * 1024);
  readonly segmentSize: number;
  readonly writer: CommitLogWriter;
  nowMs = 1_700_000_000_000;

  constructor(options: WriterRoomOptions = {}) {
    this.segmentSize = options.segmentSize ?? 64 * 1024;
    const lanes = options.inboxes ?? 1;
    this.inboxes = Array.from({ length: lanes + (options.room === true ? 1 : 0) }, () => makeRing(1024 * 1024));
    this.results = makeRing(options.resultBytes ?? 1024 * 1024);
    this.positions.publish('appended', options.end ?? 0);
    this.writer = new CommitLogWriter({
      inboxes: this.inboxes.map((requests, index) => ({ requests, outlet: index < lanes ? 0 : 1 })),
      outlets: [
        { ring: this.results, bell: this.remotingBell, takesFrames: true, regionId: 'DefaultRegion' },
        { ring: this.roomResults, bell: this.roomBell, takesFrames: false, regionId: 'DefaultRegion' },
      ],
      replica: this.replica,
      followerBells: [this.followerBell],
      appender: new CommitLogAppender(this.disk, logFolder, this.segmentSize, options.end ?? 0),
      positions: this.positions,
      storeState: this.storeState,
      counters: this.counters,
      recorder: this.recorder,
      log: silentLogger,
      queueOffsets: Float64Array.from(options.queueOffsets ?? []),
    });
  }

  put(records: readonly Uint8Array[], fields: AppendFields = {}, inbox = 0): boolean {
    return putAppend(this.inboxes[inbox]!, records, fields);
  }

  work(): number {
    return this.writer.doWork(this.nowMs);
  }

  take(): ReturnType<typeof takeOutbound> {
    return takeOutbound(this.results);
  }

  get appended(): number {
    return this.positions.read('appended');
  }

  /** All records of the log from its start to the appended position. */
  log(): RawRecord[] {
    return recordsOfLog(this.memory, logFolder, this.segmentSize, this.appended);
  }
}

/** A record as a send lane leaves it: queue offset, physical offset and store time blank. */
export function blankRecord(body: string | Uint8Array = 'hello', queueId = 0): Uint8Array {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return buildRecord({ body: bytes, queueId, storeTimestamp: 0 });
}
