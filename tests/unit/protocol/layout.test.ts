import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConsumeQueueUnit } from '../../../protocol/consume-queue-unit.js';
import { fieldSizes, layout } from '../../../protocol/layout.js';
import { RecordLayout } from '../../../protocol/message-record.js';

const layouts = suite('protocol/layout');

layouts('fields follow each other in the order given', () => {
  const mixed = layout('Mixed', { a: 'i8', b: 'i16', c: 'u24', d: 'i32', e: 'i64' });
  assert.is(mixed.name, 'Mixed');
  assert.equal(mixed.at, { a: 0, b: 1, c: 3, d: 6, e: 10 });
  assert.is(mixed.size, 18);
  assert.is(
    Object.values(fieldSizes).reduce((sum, size) => sum + size, 0),
    mixed.size,
  );
  assert.is(layout('Empty', {}).size, 0);
});

layouts('a layout cannot be changed', () => {
  const one = layout('One', { a: 'i32' });
  assert.throws(() => {
    (one as { size: number }).size = 8;
  }, TypeError);
  assert.throws(() => {
    (one.at as { a: number }).a = 8;
  }, TypeError);
});

/** Offsets as the specification gives them (storage 3.2, IPv4 hosts). */
layouts('the record is laid out as specified', () => {
  const { at } = RecordLayout;
  assert.equal(
    [at.totalSize, at.magic, at.bodyCrc, at.queueId, at.flag, at.queueOffset, at.physicalOffset, at.sysFlag],
    [0, 4, 8, 12, 16, 20, 28, 36],
  );
  assert.equal(
    [at.bornTimestamp, at.bornHost, at.storeTimestamp, at.storeHost, at.reconsumeTimes],
    [40, 48, 56, 64, 72],
  );
  assert.equal([at.preparedTransactionOffset, at.bodyLength, RecordLayout.size], [76, 84, 88]);
});

layouts('a consume queue entry is laid out as specified', () => {
  assert.equal(ConsumeQueueUnit.at, { physicalOffset: 0, size: 8, tagsCode: 12 });
  assert.is(ConsumeQueueUnit.size, 20);
});

layouts.run();
