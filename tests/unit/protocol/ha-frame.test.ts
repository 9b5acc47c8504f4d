/** Records of the HA port, against bytes written out by hand. Source: spec ha 2.1, 2.2. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  haReportOffset,
  haTransferBodySize,
  haTransferOffset,
  putHaReport,
  putHaTransferHeader,
} from '../../../protocol/ha-frame.js';

const frames = suite('protocol/ha-frame');

frames('a report is one 64-bit offset', () => {
  const bytes = new Uint8Array(10);
  putHaReport(bytes, 1, 0x1_0000_0203);
  assert.is(Buffer.from(bytes).toString('hex'), '00000000010000020300');
  assert.is(haReportOffset(bytes, 1), 0x1_0000_0203);
});

frames('a transfer header is an offset and a size', () => {
  const bytes = new Uint8Array(12);
  putHaTransferHeader(bytes, 0, 1_073_741_824, 32_768);
  assert.is(Buffer.from(bytes).toString('hex'), '000000004000000000008000');
  assert.equal([haTransferOffset(bytes, 0), haTransferBodySize(bytes, 0)], [1_073_741_824, 32_768]);
});

frames.run();
