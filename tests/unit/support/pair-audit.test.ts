/** What judges a pair must fail on every fault it is there for: each test plants one in logs that were right. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeDisk } from '../../../storage/disk.js';
import { contentHash } from '../../support/load.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';
import { PairAudit } from '../../support/pair-audit.js';
import { LogBuilder } from '../../support/record-builder.js';

const audits = suite('support/pair-audit');

const segmentSize = 4096;
const topic = 'TopicTest';
const messages = 30;

let folder = '';
audits.before.each(() => {
  folder = temporaryFolder();
});
audits.after.each(() => removeFolder(folder));

const commitLog = (role: string): string => path.join(folder, role);
const segment = (role: string, start: number): string => path.join(commitLog(role), String(start).padStart(20, '0'));

/** A master and a slave with the same thirty messages in several files, all of them acknowledged. */
function makePair(): { audit: PairAudit; log: LogBuilder } {
  for (const role of ['master', 'slave']) fs.mkdirSync(commitLog(role));
  const log = new LogBuilder(nodeDisk, commitLog('master'), segmentSize, 0);
  const audit = new PairAudit({ master: commitLog('master'), slave: commitLog('slave'), segmentSize });
  for (let index = 0; index < messages; index++) {
    const id = `id${index}`;
    const body = Buffer.alloc(200, index);
    const place = { queueId: index % 2, queueOffset: index >> 1 };
    const { start } = log.append({ topic, body, properties: `UNIQ_KEY\u0001${id}`, ...place });
    const hash = contentHash(topic, body, [['UNIQ_KEY', id]]);
    audit.ledger.attempt({ id, topic, queueId: place.queueId, hash, connection: 0, phase: 1 });
    audit.ledger.acknowledge(id, place.queueId, place.queueOffset);
    audit.acknowledged(id, start.toString(16).padStart(32, '0'), index);
  }
  fs.cpSync(commitLog('master'), commitLog('slave'), { recursive: true });
  return { audit, log };
}

const idsOf = (audit: PairAudit): string[] => audit.missing().map(({ id }) => id);

audits('accepts a slave that has everything', () => {
  const { audit, log } = makePair();
  assert.equal([audit.missing(), audit.differing(), audit.changes()], [[], [], []]);
  assert.is(audit.slaveEnd, log.end);
});

audits('finds what a slave without the end of the log has not, and how much that is', () => {
  const { audit, log } = makePair();
  const { start } = log.records[messages - 2]!;
  const file = segment('slave', start - (start % segmentSize));
  const bytes = fs.readFileSync(file);
  fs.writeFileSync(file, bytes.fill(0, start % segmentSize));
  for (const { start: later } of log.records)
    if (later - (later % segmentSize) > start) fs.rmSync(segment('slave', later));
  const missing = audit.missing();
  assert.equal(
    missing.map(({ id, instead }) => [id, instead]),
    [
      ['id28', 'nothing'],
      ['id29', 'nothing'],
    ],
  );
  assert.equal(audit.loss(missing, 40), { messages: 2, bytes: log.end - start, ms: 12 });
  assert.equal(audit.differing(), [], 'it is a prefix all the same');
});

audits('goes on where it ended, when the slave has more', () => {
  const { audit, log } = makePair();
  const last = segment('slave', log.end - (log.end % segmentSize));
  const bytes = fs.readFileSync(last);
  fs.rmSync(last);
  assert.ok(idsOf(audit).length > 0);
  fs.writeFileSync(last, bytes);
  assert.equal(idsOf(audit), []);
});

audits('finds an acknowledged message that nobody stored', () => {
  const { audit } = makePair();
  audit.ledger.attempt({ id: 'planted', topic, queueId: 0, hash: 'hash', connection: 0, phase: 1 });
  audit.ledger.acknowledge('planted', 0, messages);
  assert.equal(idsOf(audit), ['planted']);
});

audits('finds another message at an acknowledged place', () => {
  const { audit } = makePair();
  audit.ledger.attempt({ id: 'planted', topic, queueId: 0, hash: 'hash', connection: 0, phase: 1 });
  audit.ledger.acknowledge('planted', 0, 3);
  assert.equal(
    audit.missing().map(({ place, instead }) => [place, instead]),
    [['TopicTest:0@3', 'another message']],
  );
});

audits('finds a byte that differs, also where no message is', () => {
  const { audit } = makePair();
  const file = segment('slave', 0);
  const bytes = fs.readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  fs.writeFileSync(file, bytes);
  assert.equal(idsOf(audit), []);
  assert.equal(audit.differing(), [path.basename(file)]);
});

audits(
  'takes no record for whole that lacks the end of its properties, and finds it when the slave says that it is there',
  () => {
    const { audit, log } = makePair();
    const { start, end } = log.records[messages - 1]!;
    const file = segment('slave', start - (start % segmentSize));
    const bytes = fs.readFileSync(file);
    fs.writeFileSync(file, bytes.fill(0, (end % segmentSize) - 1));
    assert.equal(idsOf(audit), [`id${messages - 1}`]);
    assert.equal([audit.slaveEnd, audit.differing()], [start, []], 'it may come yet');
    assert.equal(audit.differing(log.end), [path.basename(file)]);
  },
);

audits('finds a file that the master has not', () => {
  const { audit } = makePair();
  idsOf(audit);
  fs.rmSync(segment('master', segmentSize));
  assert.equal(audit.differing(), [path.basename(segment('slave', segmentSize))]);
});

audits('finds a place that shows another message than before, once', () => {
  const { audit } = makePair();
  idsOf(audit);
  const stored = { id: 'other', topic, queueId: 1, queueOffset: 0, hash: 'hash' };
  audit.saw('a consumer', stored);
  assert.equal(audit.changes(), ["TopicTest:1@0 was id1 for the slave's log, and is other for a consumer"]);
  assert.equal(audit.changes(), []);
});

audits('does not ask a slave that was emptied for the files in front of its first one, and asks any other one', () => {
  const { audit } = makePair();
  fs.rmSync(segment('slave', 0));
  const lost = idsOf(audit);
  assert.ok(lost.length > 0 && lost.length < messages, `${lost.length} missing`);
  audit.slaveBeginsLate();
  assert.equal(idsOf(audit), []);
  fs.rmSync(segment('slave', segmentSize * 2));
  audit.slaveBeginsLate();
  assert.ok(idsOf(audit).length > 0, 'behind its first file nothing is excused');
});

audits.run();
