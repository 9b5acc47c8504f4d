/** The checker must fail on every fault it is there for: each test plants one in a consumption that was right. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Consumption,
  type ConsumptionFaults,
  type ConsumptionReport,
  formatConsumption,
  judgeConsumption,
  type SentMessage,
} from '../../support/consumption-checker.js';

const checker = suite('consumption-checker');

const REPLAY_MAX = 3;

/** Two queues of ten messages. */
const sent: readonly SentMessage[] = Array.from({ length: 20 }, (_, index) => ({
  id: `id${index}`,
  queueId: index % 2,
  queueOffset: Math.floor(index / 2),
}));

/** Consumed one after the other by `first`; from the fifth on of each queue by `second`. */
function example(): Consumption[] {
  return sent.map((message, index) => ({
    ...message,
    member: message.queueOffset < 5 ? 'first' : 'second',
    beginNs: BigInt(index * 10),
    endNs: BigInt(index * 10 + 5),
  }));
}

function judge(
  consumptions: readonly Consumption[],
  killed: Record<string, bigint> = {},
  order = true,
): ConsumptionReport {
  return judgeConsumption(sent, consumptions, {
    order,
    replayMax: REPLAY_MAX,
    killedNs: new Map(Object.entries(killed)),
  });
}

/** The kinds of fault found. */
function kinds(report: ConsumptionReport): string[] {
  return (Object.keys(report.faults) as (keyof ConsumptionFaults)[]).filter(kind => report.faults[kind].length > 0);
}

/** `from` on of queue 0 once more, by `member`, `ns` after everything else. */
function again(from: number, count: number, member: string): Consumption[] {
  return sent
    .filter(({ queueId, queueOffset }) => queueId === 0 && queueOffset >= from && queueOffset < from + count)
    .map((message, index) => ({
      ...message,
      member,
      beginNs: BigInt(1000 + index * 10),
      endNs: BigInt(1005 + index * 10),
    }));
}

checker('accepts what was consumed once and in order', () => {
  const report = judge(example());
  assert.is(report.faultCount, 0, formatConsumption(report));
  assert.equal([report.sent, report.consumed, report.duplicates, report.handovers], [20, 20, 0, 2]);
});

checker('finds a message that nobody consumed', () => {
  const report = judge(
    example().filter(({ id }) => id !== 'id6'),
    {},
    false,
  );
  assert.equal(kinds(report), ['lost']);
  assert.match(report.faults.lost[0]!, /id6 of 0@3/);
});

checker('a message whose listener never ended is lost', () => {
  const consumptions = example();
  consumptions[19] = { ...consumptions[19]!, endNs: undefined };
  assert.equal(kinds(judge(consumptions, { second: 1000n })), ['lost']);
});

checker('finds a message that nobody sent', () => {
  const consumptions = example();
  consumptions[7] = { ...consumptions[7]!, id: 'strange' };
  assert.equal(kinds(judge(consumptions)), ['lost', 'unknown']);
});

checker('finds a message at the place of another one', () => {
  const consumptions = example();
  const [one, other] = [consumptions[4]!, consumptions[6]!];
  consumptions[4] = { ...one, id: other.id };
  consumptions[6] = { ...other, id: one.id };
  assert.equal(kinds(judge(consumptions)), ['misplaced']);
});

checker('finds two messages of a queue in the wrong order', () => {
  const consumptions = example();
  const [one, other] = [consumptions[4]!, consumptions[6]!];
  consumptions[4] = { ...one, beginNs: other.beginNs, endNs: other.endNs };
  consumptions[6] = { ...other, beginNs: one.beginNs, endNs: one.endNs };
  const report = judge(consumptions);
  assert.ok(kinds(report).includes('swapped'), formatConsumption(report));
  assert.is(judge(consumptions, {}, false).faults.swapped.length, 0, 'who does not ask for order gets none');
});

checker('finds a message that begins while the one before it runs', () => {
  const consumptions = example();
  consumptions[4] = { ...consumptions[4]!, endNs: 65n };
  assert.equal(kinds(judge(consumptions)), ['swapped', 'overlapped']);
});

checker('finds a message skipped by a commit that was too far', () => {
  const consumptions = example();
  consumptions[8] = { ...consumptions[8]!, endNs: undefined };
  const report = judge(consumptions, { first: 89n });
  assert.equal(kinds(report), ['lost', 'swapped']);
});

checker('finds two members at one queue', () => {
  const report = judge([...example(), ...again(9, 1, 'third').map(each => ({ ...each, beginNs: 182n, endNs: 183n }))]);
  assert.equal(kinds(report), ['overlapped']);
});

checker('finds a third member at a queue that a long call holds', () => {
  const consumptions = example();
  const short = { ...sent[18]!, member: 'third', beginNs: 186n, endNs: 187n };
  const late = { ...sent[18]!, member: 'fourth', beginNs: 190n, endNs: 191n };
  consumptions[18] = { ...consumptions[18]!, endNs: 195n };
  assert.is(judge([...consumptions, short, late]).faults.overlapped.length, 2);
});

checker('allows that a member begins again where the broker thinks the last one was', () => {
  const report = judge([...example(), ...again(7, 3, 'third')]);
  assert.is(report.faultCount, 0, formatConsumption(report));
  assert.equal([report.duplicates, report.handovers, report.longestReplay, report.duplicatesMax], [3, 3, 3, 9]);
});

checker('finds a member that went back too far', () => {
  assert.equal(kinds(judge([...example(), ...again(6, 1, 'third')])), ['replayed']);
});

checker('finds more duplicates than all handovers allow', () => {
  const times = Array.from({ length: 10 }, () => again(9, 1, 'second')).flat();
  // Those of a member that goes on are no handover; each of these begins anew and is counted as one.
  const report = judge([...example(), ...times, ...again(0, 10, 'third')]);
  assert.ok(report.duplicates === 20 && kinds(report).includes('replayed'), formatConsumption(report));
  const twice = [...example(), ...example().map(each => ({ ...each, beginNs: each.beginNs + 1000n, endNs: 2000n }))];
  assert.ok(kinds(judge(twice, {}, false)).includes('repeated'));
});

checker('what a killed member had begun may be begun by the next one', () => {
  const consumptions = example();
  const last = consumptions[18]!;
  consumptions[18] = { ...last, endNs: undefined };
  const redone = { ...last, member: 'third', beginNs: 500n, endNs: 501n };
  assert.is(judge([...consumptions, redone], { second: 400n }).faultCount, 0);
  assert.equal(kinds(judge([...consumptions, redone], { second: 600n })), ['overlapped']);
  assert.equal(kinds(judge([...consumptions, redone])), ['overlapped'], 'it did not die');
});

checker('a report names counts and a few faults of each kind', () => {
  const text = formatConsumption(judge(example().slice(0, 10), {}, false), 2);
  assert.match(
    text,
    /^sent 20, consumed 10, duplicates 0 of at most 0 \(0 handovers, longest way back 0\), faults 10\n/,
  );
  assert.match(text, /lost: and 8 more/);
});

checker.run();
