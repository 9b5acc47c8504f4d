import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { segmentName } from '../../../storage/paths.js';
import { compareLogs } from '../../support/log-comparison.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';

const logFiles = suite('comparing logs');

let folder = '';
logFiles.before.each(() => {
  folder = temporaryFolder();
});
logFiles.after.each(() => removeFolder(folder));

function store(name: string, segments: Readonly<Record<number, Uint8Array>>): string {
  const commitLog = path.join(folder, name, 'commitlog');
  fs.mkdirSync(commitLog, { recursive: true });
  for (const [start, bytes] of Object.entries(segments)) {
    fs.writeFileSync(path.join(commitLog, segmentName(Number(start))), bytes);
  }
  return commitLog;
}

const range = { end: 16, segmentBytes: 10 };

logFiles('what is behind the end does not count, nor what the slave never had', () => {
  const master = store('master', { 0: Buffer.alloc(10, 1), 10: Buffer.alloc(10, 2) });
  const slave = store('slave', { 10: Buffer.from([2, 2, 2, 2, 2, 2, 9, 9, 9, 9]), 20: Buffer.alloc(10) });
  assert.equal(compareLogs(master, slave, range), { bytes: 6, differing: 0, files: [], places: [] });
});

logFiles('bytes that differ are counted, and their place is told', () => {
  const master = store('master', { 0: Buffer.alloc(10, 1), 10: Buffer.alloc(10, 2) });
  const slave = store('slave', { 0: Buffer.alloc(10, 1), 10: Buffer.from([2, 2, 3, 2, 3, 2, 2, 2, 2, 2]) });
  const places = [`${segmentName(10)}: 2 bytes differ, the first at 12`];
  assert.equal(compareLogs(master, slave, range), { bytes: 16, differing: 2, files: [segmentName(10)], places });
});

logFiles('what the master has not, or not all of, differs', () => {
  const master = store('master', { 10: Buffer.alloc(2, 2) });
  const slave = store('slave', { 0: Buffer.alloc(10), 10: Buffer.alloc(10, 2) });
  assert.is(compareLogs(master, slave, range).differing, 14);
});

logFiles.run();
