/** The checker must fail on every fault it is there for: each test plants one in a store that was right. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Faults, Report, Stored } from '../../support/checker.js';
import { formatReport, Judge, Ledger } from '../../support/checker.js';

const checker = suite('checker');

const topic = 'TopicTest';

/** Two connections, two queues, twelve acknowledged messages, and one attempt that was never answered. */
function example(): { ledger: Ledger; stored: Stored[] } {
  const ledger = new Ledger();
  const stored: Stored[] = [];
  const ends = [0, 0];
  for (let index = 0; index < 12; index++) {
    const queueId = index % 2;
    const message = { id: `id${index}`, topic, queueId, hash: `hash${index}` };
    ledger.attempt({ ...message, connection: index % 3, phase: 1 });
    const queueOffset = ends[queueId]!++;
    ledger.acknowledge(message.id, queueId, queueOffset);
    stored.push({ ...message, queueOffset });
  }
  ledger.attempt({ id: 'unanswered', topic, queueId: 0, hash: 'hash', connection: 0, phase: 2 });
  return { ledger, stored };
}

function judge(ledger: Ledger, stored: readonly Stored[]): Report {
  const judge = new Judge(ledger);
  for (const message of stored) judge.onStored(message);
  return judge.report();
}

/** The kinds of fault found. */
function kinds(report: Report): (keyof Faults)[] {
  return (Object.keys(report.faults) as (keyof Faults)[]).filter(kind => report.faults[kind].length > 0);
}

checker('accepts a store that kept everything', () => {
  const { ledger, stored } = example();
  const report = judge(ledger, stored);
  assert.equal(kinds(report), []);
  assert.is(report.faultCount, 0);
  assert.is(report.acknowledged, 12);
  assert.is(report.read, 12);
});

checker('accepts a message that was never acknowledged, and counts it', () => {
  const { ledger, stored } = example();
  stored.push({ id: 'unanswered', topic, queueId: 0, queueOffset: 6, hash: 'hash' });
  const report = judge(ledger, stored);
  assert.equal(kinds(report), []);
  assert.is(report.unacknowledgedButPresent, 1);
});

checker('refuses a lost message at the end of a queue', () => {
  const { ledger, stored } = example();
  stored.pop();
  assert.equal(kinds(judge(ledger, stored)), ['lost']);
});

checker('refuses a lost message in the middle of a queue', () => {
  const { ledger, stored } = example();
  stored.splice(4, 1);
  assert.equal(kinds(judge(ledger, stored)), ['lost', 'gaps']);
});

checker('refuses a lost message whose place another message took', () => {
  const { ledger, stored } = example();
  const gone = stored[10]!;
  stored[10] = { id: 'unanswered', topic, queueId: gone.queueId, queueOffset: gone.queueOffset, hash: 'hash' };
  assert.equal(kinds(judge(ledger, stored)), ['lost']);
});

checker('refuses an offset that was acknowledged twice', () => {
  const { ledger, stored } = example();
  ledger.attempt({ id: 'second', topic, queueId: 1, hash: 'hash', connection: 7, phase: 2 });
  ledger.acknowledge('second', 1, 5);
  const report = judge(ledger, stored);
  assert.equal(kinds(report), ['lost', 'reused']);
  assert.match(report.faults.reused[0]!, 'TopicTest:1@5');
});

checker('refuses changed content', () => {
  const { ledger, stored } = example();
  stored[3] = { ...stored[3]!, hash: 'other' };
  assert.equal(kinds(judge(ledger, stored)), ['changed']);
});

checker('refuses a message in another queue than it was sent to', () => {
  const { ledger, stored } = example();
  ledger.attempt({ id: 'moved', topic, queueId: 1, hash: 'hash', connection: 9, phase: 2 });
  ledger.acknowledge('moved', 0, 6);
  stored.push({ id: 'moved', topic, queueId: 0, queueOffset: 6, hash: 'hash' });
  assert.equal(kinds(judge(ledger, stored)), ['changed']);
});

checker('refuses swapped order of one connection', () => {
  const { ledger, stored } = example();
  ledger.attempt({ id: 'first', topic, queueId: 0, hash: 'hash', connection: 5, phase: 2 });
  ledger.attempt({ id: 'second', topic, queueId: 0, hash: 'hash', connection: 5, phase: 2 });
  ledger.acknowledge('second', 0, 6);
  ledger.acknowledge('first', 0, 7);
  stored.push({ id: 'second', topic, queueId: 0, queueOffset: 6, hash: 'hash' });
  stored.push({ id: 'first', topic, queueId: 0, queueOffset: 7, hash: 'hash' });
  assert.equal(kinds(judge(ledger, stored)), ['swapped']);
});

checker('refuses messages found at each other’s places', () => {
  const { ledger, stored } = example();
  const [a, b] = [stored[0]!, stored[2]!];
  stored[0] = { ...b, queueOffset: a.queueOffset };
  stored[2] = { ...a, queueOffset: b.queueOffset };
  assert.equal(kinds(judge(ledger, stored)), ['lost']);
});

checker('refuses an attempt that is there twice', () => {
  const { ledger, stored } = example();
  stored.push({ ...stored[0]!, queueOffset: 6 });
  const report = judge(ledger, stored);
  assert.equal(kinds(report), ['repeated']);
});

checker('refuses an offset that is read twice', () => {
  const { ledger, stored } = example();
  stored.push({ id: 'unanswered', topic, queueId: 0, queueOffset: 5, hash: 'hash' });
  assert.equal(kinds(judge(ledger, stored)), ['gaps']);
});

checker('refuses a queue that does not begin at 0', () => {
  const ledger = new Ledger();
  ledger.attempt({ id: 'only', topic, queueId: 0, hash: 'hash', connection: 0, phase: 0 });
  ledger.acknowledge('only', 0, 1);
  assert.equal(kinds(judge(ledger, [{ id: 'only', topic, queueId: 0, queueOffset: 1, hash: 'hash' }])), ['gaps']);
});

checker('refuses a message nobody sent', () => {
  const { ledger, stored } = example();
  stored.push({ id: 'stranger', topic, queueId: 1, queueOffset: 6, hash: 'hash' });
  assert.equal(kinds(judge(ledger, stored)), ['unknown']);
});

checker('refuses to note an id or an acknowledgement twice', () => {
  const { ledger } = example();
  assert.throws(() => ledger.attempt({ id: 'id0', topic, queueId: 0, hash: '', connection: 0, phase: 0 }), 'before');
  assert.throws(() => ledger.acknowledge('id0', 0, 0), 'twice');
  assert.throws(() => ledger.acknowledge('nobody', 0, 0), 'never sent');
});

checker('formats the counts and names the faults', () => {
  const { ledger, stored } = example();
  stored.pop();
  const text = formatReport(judge(ledger, stored));
  assert.match(text, 'acknowledged 12, read 11, lost 1, reused 0');
  assert.match(text, 'lost: id11: acknowledged as TopicTest:1@5 in phase 1, not there');
});

checker.run();
