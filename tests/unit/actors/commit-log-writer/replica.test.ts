/** A slave's log: the master's bytes, where the master has them. Source: spec ha 2.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AppendType, ReplicaRecords } from '../../../../actors/commit-log-writer/mailbox.js';
import { high32, low32 } from '../../../../actors/remoting/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { AssertionError } from '../../../../runtime/base/assert.js';
import { segmentName } from '../../../../storage/paths.js';
import { buildRecord } from '../../../support/record-builder.js';
import { logFolder, WriterRoom } from './support.js';

const replica = suite('actors/commit-log-writer: replica');

function put(room: WriterRoom, position: number, records: Uint8Array): void {
  const ring = room.replica;
  const at = ring.claim(ReplicaRecords.recordBytes + records.length);
  ring.words[(at >> 2) + ReplicaRecords.positionLow] = low32(position);
  ring.words[(at >> 2) + ReplicaRecords.positionHigh] = high32(position);
  ring.words[(at >> 2) + ReplicaRecords.size] = records.length;
  ring.bytes.set(records, at + ReplicaRecords.recordBytes);
  ring.commit(AppendType.REPLICA, ReplicaRecords.recordBytes + records.length);
}

const recordAt = (physicalOffset: number, body = 'hello'): Uint8Array =>
  buildRecord({ physicalOffset, body: new TextEncoder().encode(body), queueOffset: 7 });

replica('records go into the log as they are, and who follows it is rung', () => {
  const room = new WriterRoom();
  const first = recordAt(0);
  const second = recordAt(first.length, 'world');
  put(room, 0, first);
  put(room, first.length, second);
  assert.is(room.work(), 2);
  assert.is(room.appended, first.length + second.length);
  assert.equal(
    room.log().map(({ bytes }) => bytes),
    [Buffer.from(first), Buffer.from(second)],
  );
  assert.is(room.followerBell.rings, 1);
});

replica('an empty log begins where the first record stands, far from 0', () => {
  const room = new WriterRoom({ segmentSize: 4096 });
  const position = 4096 * 2 ** 32;
  put(room, position, recordAt(position));
  room.work();
  assert.is(room.positions.read('minimum'), position);
  assert.is(room.appended, position + recordAt(position).length);
  assert.equal(room.memory.list(logFolder), [segmentName(position)]);
});

replica('a BLANK takes its file to the end, and the next record begins a new one', () => {
  const room = new WriterRoom({ segmentSize: 4096 });
  const record = recordAt(0);
  const blank = new Uint8Array(4096 - record.length).fill(0xab);
  put(room, 0, record);
  put(room, record.length, blank);
  put(room, 4096, recordAt(4096));
  room.work();
  assert.is(room.appended, 4096 + record.length);
  assert.equal(room.memory.list(logFolder), [segmentName(0), segmentName(4096)]);
  assert.is(room.memory.bytes(`${logFolder}/${segmentName(0)}`)[4095], 0xab, 'byte for byte');
});

replica('what the disk refuses stays in the ring and is written a second later, once', () => {
  const room = new WriterRoom();
  room.disk.faults.fail = call => (call === 'write' ? 'EIO' : undefined);
  put(room, 0, recordAt(0));
  assert.is(room.work(), 0);
  assert.is(room.appended, 0);
  assert.ok(room.storeState.has(StoreState.WRITE_FAILED));
  delete room.disk.faults.fail;
  assert.is(room.work(), 0, 'not before its time');
  assert.is(room.writer.deadlineMs(), room.nowMs + 1000);
  room.nowMs += 1000;
  assert.is(room.work(), 1);
  assert.not.ok(room.storeState.has(StoreState.WRITE_FAILED));
  assert.is(room.log().length, 1);
});

replica('records that do not join the log are a bug, not a hole', () => {
  const room = new WriterRoom();
  put(room, 0, recordAt(0));
  put(room, 5000, recordAt(5000));
  assert.throws(
    () => room.work(),
    (error: unknown) => error instanceof AssertionError,
  );
  assert.is(room.appended, recordAt(0).length);
});

replica.run();
