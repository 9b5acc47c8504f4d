/** Bytes of a master's log become whole, checked records, however they are cut. Source: spec ha 2.3, storage 3. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ReplicaIntake } from '../../../../actors/ha-receiver/replica-intake.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { buildRecord, LogBuilder } from '../../../support/record-builder.js';

const intakes = suite('actors/ha-receiver/replica-intake');
const segmentSize = 4096;

/** A log of several files, BLANKs and what stands behind them included. */
function buildLog(bodySizes: readonly number[]): { bytes: Uint8Array; starts: number[]; ends: number[] } {
  const disk = new MemoryDisk();
  const log = new LogBuilder(disk, '/log', segmentSize, 0);
  const starts = bodySizes.map((size, index) => {
    return log.append({ body: new Uint8Array(size).fill(index), queueOffset: index }).start;
  });
  const files = disk.list('/log').map(name => disk.bytes(`/log/${name}`));
  const bytes = new Uint8Array(Buffer.concat(files).subarray(0, log.end));
  return { bytes, starts, ends: log.records.map(({ end }) => end) };
}

function open(position = 0, runSizeMax = 1 << 20): ReplicaIntake {
  const intake = new ReplicaIntake({ segmentSize, runSizeMax });
  intake.begin(position);
  return intake;
}

/** All runs that are there now. */
function take(intake: ReplicaIntake): { position: number; bytes: Uint8Array }[] {
  const runs: { position: number; bytes: Uint8Array }[] = [];
  for (let size = intake.run(); size > 0; size = intake.run()) {
    runs.push({ position: intake.position, bytes: intake.bytes.slice(intake.start, intake.start + size) });
    intake.taken(size);
  }
  return runs;
}

intakes('whatever the cuts, the runs are the log, each within a file, and only whole records', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 50 }),
      (bodySizes, cuts) => {
        const { bytes, starts, ends } = buildLog(bodySizes);
        const intake = open();
        const out: Uint8Array[] = [];
        let at = 0;
        for (let index = 0; at < bytes.length; index++) {
          const end = Math.min(bytes.length, at + cuts[index % cuts.length]!);
          intake.push(bytes, at, end);
          at = end;
          assert.is(intake.receivedPosition, end);
          for (const run of take(intake)) {
            assert.is(run.position, Buffer.concat(out).length, 'a run joins the one before it');
            const last = run.position + run.bytes.length;
            assert.ok(Math.floor(run.position / segmentSize) === Math.floor((last - 1) / segmentSize));
            assert.ok(ends.includes(last) || last % segmentSize === 0, 'a run ends with a record or its file');
            out.push(run.bytes);
          }
          assert.is(intake.fault, '');
        }
        assert.equal(Buffer.concat(out), Buffer.from(bytes));
        assert.is(intake.lastRecordOffset, starts.at(-1));
      },
    ),
    { numRuns: 200 },
  );
});

intakes('no run is larger than the ring to the writer takes', () => {
  const { bytes } = buildLog([900, 900, 900, 900]);
  const intake = open(0, 1200);
  intake.push(bytes, 0, bytes.length);
  const sizes = take(intake).map(run => run.bytes.length);
  assert.ok(sizes.every(size => size <= 1200));
  assert.is(
    sizes.reduce((sum, size) => sum + size, 0),
    bytes.length,
  );
});

/** What is wrong, after the good records in front of it went on. */
function faultOf(bytes: Uint8Array, options: { position?: number; runSizeMax?: number } = {}): string {
  const intake = open(options.position, options.runSizeMax);
  intake.push(bytes, 0, bytes.length);
  take(intake);
  return intake.fault;
}

intakes('a body that was damaged is found, and what was good before it is kept', () => {
  const { bytes, starts } = buildLog([100, 100, 100]);
  bytes[starts[1]! + 95]! ^= 1;
  const intake = open();
  intake.push(bytes, 0, bytes.length);
  assert.equal(
    take(intake).map(run => run.bytes.length),
    [starts[1]],
  );
  assert.match(intake.fault, new RegExp(`at ${starts[1]} is no whole record`));
  assert.is(intake.lastRecordOffset, 0);
  intake.begin(starts[1]!);
  assert.is(intake.fault, '');
});

intakes('a record of another place is refused: the logs differ', () => {
  assert.match(faultOf(buildRecord({ physicalOffset: 512 })), /no whole record of that place.*the two logs differ/);
});

intakes('files of another size are told by the BLANK and by records beyond the end', () => {
  const blank = new Uint8Array(8);
  new DataView(blank.buffer).setInt32(0, 100);
  new DataView(blank.buffer).setInt32(4, 0xcbd43194 | 0);
  assert.match(faultOf(blank), /mappedFileSizeCommitLog \(4096 here\) must be the same/);
  const beyond = buildRecord({ physicalOffset: 4000, body: new Uint8Array(50) });
  assert.match(faultOf(beyond, { position: 4000 }), /goes on where a file of this slave ends/);
  assert.match(faultOf(beyond.subarray(0, 60), { position: 4000 }), /goes on where a file of this slave ends/);
});

intakes('a record that the writer could never take names the key', () => {
  const record = buildRecord({ body: new Uint8Array(2000) });
  assert.match(faultOf(record, { runSizeMax: 1000 }), /set maxMessageSize to what the master has/);
  assert.match(faultOf(record.subarray(0, 500), { runSizeMax: 1000 }), /set maxMessageSize/);
});

intakes.run();
