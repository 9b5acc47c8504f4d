/** The telemetry room alone; with a node and a collector it is in tests/unit/actors/node/telemetry.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SpanNotes } from '../../../../actors/span-notes.js';
import { Telemetry } from '../../../../actors/telemetry/actor.js';
import type { SpanDraft } from '../../../../actors/telemetry/behaviour.js';
import type { ExportListener, SpanSink } from '../../../../actors/telemetry/effects.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { FaultyDisk, MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder } from '../../../support/record-builder.js';
import { CountingBell, makeRing } from '../../../support/rooms.js';
import { type LogLine, loggerInto } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const telemetry = suite('actors/telemetry');

const SEGMENT = 1024 * 1024;
const folder = '/store/commitlog';
const properties = 'traceparent\u000100-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Keeps spans as long as it has room. */
class ListSink implements SpanSink {
  readonly drafts: SpanDraft[] = [];
  roomFor = Number.POSITIVE_INFINITY;
  closed = false;

  record(draft: SpanDraft): boolean {
    if (this.drafts.length >= this.roomFor) return false;
    this.drafts.push(draft);
    return true;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

class Rig {
  readonly disk = new FaultyDisk(new MemoryDisk());
  readonly log = new LogBuilder(this.disk, folder, SEGMENT);
  readonly positions = new Positions();
  readonly counters = new Counters();
  readonly lines: LogLine[] = [];
  readonly sink = new ListSink();
  readonly ring = makeRing();
  readonly clock = new VirtualClock();
  readonly notes = new SpanNotes({
    ring: this.ring,
    bell: new CountingBell(),
    counters: new Counters(),
    clock: this.clock,
  });
  readonly room: Telemetry;
  listener: ExportListener | undefined;
  scheduled = 0;

  constructor(opened: Promise<void> = Promise.resolve()) {
    this.room = new Telemetry({
      inboxes: [this.ring],
      positions: this.positions,
      log: new CommitLogReader(this.disk, folder, SEGMENT),
      counters: this.counters,
      logger: loggerInto(this.lines),
      openSink: async listener => {
        this.listener = listener;
        await opened;
        return this.sink;
      },
    });
    this.room.onWork = () => this.scheduled++;
  }

  /** Notes a send of so many messages. */
  store(count = 1): void {
    const ends = Array.from({ length: count }, () => this.log.append({ topic: 'T', properties }));
    const [first] = ends;
    this.notes.stored(first!.start, ends.at(-1)!.end - first!.start, this.clock.nowMs() | 0, 0);
  }
}

telemetry('notes wait until the SDK is there, and are worked off then', async () => {
  let open = (): void => {};
  const rig = new Rig(
    new Promise(resolve => {
      open = resolve;
    }),
  );
  rig.store();
  assert.is(rig.room.doWork(), 0);
  open();
  await until(() => rig.scheduled === 1, 'it is scheduled');
  assert.is(rig.room.doWork(), 1);
  assert.equal(
    rig.sink.drafts.map(({ name }) => name),
    ['store T'],
  );
});

telemetry('a batch makes a span a message', async () => {
  const rig = new Rig();
  await until(() => rig.scheduled === 1, 'the SDK is there');
  rig.store(3);
  rig.room.doWork();
  assert.is(rig.sink.drafts.length, 3);
  assert.is(new Set(rig.sink.drafts.map(({ attributes }) => attributes['ringmq.physical.offset'])).size, 3);
});

telemetry('what the sink has no room for, and what the log has no longer, is counted', async () => {
  const rig = new Rig();
  await until(() => rig.scheduled === 1, 'the SDK is there');
  rig.sink.roomFor = 1;
  rig.store(2);
  rig.notes.stored(40 * SEGMENT, 100, rig.clock.nowMs() | 0, 0);
  rig.room.doWork();
  assert.is(rig.counters.read('spansDropped'), 2);
});

telemetry('a disk that cannot be read is said once; notes go on', async () => {
  const rig = new Rig();
  await until(() => rig.scheduled === 1, 'the SDK is there');
  rig.disk.faults.fail = call => (call === 'read' ? 'EIO' : undefined);
  rig.store();
  rig.store();
  rig.room.doWork();
  assert.is(rig.counters.read('spansDropped'), 2);
  assert.is(rig.lines.length, 1);
  delete rig.disk.faults.fail;
  rig.store();
  rig.room.doWork();
  assert.is(rig.sink.drafts.length, 1);
});

telemetry('without the SDK it says so, and takes nothing', async () => {
  const rig = new Rig(Promise.reject(new Error('no such package')));
  await until(() => rig.lines.length === 1, 'it says so');
  assert.match(rig.lines[0]!.message, /^no spans are made: no such package$/);
  rig.store();
  assert.is(rig.room.doWork(), 0);
  await rig.room.finish(10);
});

telemetry('the end sends what was noted before', async () => {
  const rig = new Rig();
  rig.store();
  await rig.room.finish(10);
  assert.is(rig.sink.drafts.length, 1);
  assert.ok(rig.sink.closed);
  rig.store();
  assert.is(rig.room.doWork(), 0, 'nothing comes after it');
});

telemetry('failures of the collector are said once until it works again', () => {
  const rig = new Rig();
  rig.listener!.onFailed(3, new Error('refused'));
  rig.listener!.onFailed(2, new Error('refused'));
  assert.is(rig.lines.length, 1);
  rig.listener!.onExported(4);
  rig.listener!.onExported(4);
  rig.listener!.onFailed(1, new Error('refused'));
  assert.equal(
    rig.lines.map(({ level }) => level),
    ['warn', 'info', 'warn'],
  );
  assert.equal([rig.counters.read('spansExported'), rig.counters.read('spansDropped')], [8, 6]);
});

telemetry.run();
