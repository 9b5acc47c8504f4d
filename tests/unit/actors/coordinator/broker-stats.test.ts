/** Statistics from what others count in shared memory. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BrokerStats } from '../../../../actors/coordinator/broker-stats.js';
import { GroupTraffic } from '../../../../actors/group-traffic.js';
import { QueueNumbers } from '../../../../actors/queue-numbers.js';
import { QueueTraffic } from '../../../../actors/queue-traffic.js';

const broker = suite('actors/coordinator/broker-stats');

const startMs = 1_700_000_000_000;

class Counted {
  readonly numbers = new QueueNumbers();
  readonly stored = new QueueTraffic();
  readonly lanes = [new GroupTraffic(), new GroupTraffic()];
  readonly sendLanes = [new GroupTraffic()];
  readonly totals = { put: 0, get: 0 };
  readonly stats = new BrokerStats({
    numbers: this.numbers,
    stored: this.stored,
    pulled: this.lanes,
    sentBack: this.sendLanes,
    broker: () => this.totals,
    clusterName: 'C',
  });

  /** Sum over the last minute; undefined when there is no such statistic. */
  sum(name: string, key: string): number | undefined {
    return this.stats.view(name, key)?.minute.sum;
  }
}

broker('a topic is the sum of its queues, and is there with its first message', () => {
  const { numbers, stored, stats } = new Counted();
  const [first, second] = numbers.of('T', 2);
  numbers.of('Silent', 1);
  assert.is(stats.view('TOPIC_PUT_NUMS', 'T'), undefined);
  stored.add(first!, 100);
  assert.is(stats.view('TOPIC_PUT_NUMS', 'T')!.minute.sum, 0, 'there, and not sampled yet');
  stored.add(second!, 200);
  stats.onTime(startMs);
  assert.is(stats.view('TOPIC_PUT_NUMS', 'T')!.minute.sum, 2);
  assert.equal(stats.view('TOPIC_PUT_SIZE', 'T')!.minute, { sum: 300, tps: 30, avgpt: 150 });
  assert.is(stats.view('TOPIC_PUT_NUMS', 'Silent'), undefined);
  for (const name of ['NOTHING', 'toString', '__proto__']) assert.is(stats.view(name, 'T'), undefined);
});

broker('samples are taken when they are due', () => {
  const { numbers, stored, stats } = new Counted();
  const [queue] = numbers.of('T', 1);
  stats.onTime(startMs);
  assert.is(stats.deadlineMs(), startMs + 10_000);
  stored.add(queue!, 1);
  stats.onTime(startMs + 9999);
  assert.is(stats.view('TOPIC_PUT_NUMS', 'T')!.minute.sum, 0);
  stats.onTime(startMs + 10_000);
  const view = stats.view('TOPIC_PUT_NUMS', 'T')!;
  assert.equal([view.minute.sum, view.hour.sum, view.day.sum], [1, 0, 0]);
  stats.onTime(startMs + 3_600_000);
  const later = stats.view('TOPIC_PUT_NUMS', 'T')!;
  assert.equal([later.hour.sum, later.day.sum], [1, 1]);
});

broker('a group is the sum of what all lanes hand out, by topic', () => {
  const counted = new Counted();
  const { stats, lanes } = counted;
  stats.pairNamed('pulled', 0, 0, 'T', 'G');
  stats.pairNamed('pulled', 1, 0, 'U', 'G');
  stats.pairNamed('pulled', 1, 1, 'T', 'G');
  lanes[0]!.add(0, 10, 1000);
  lanes[1]!.add(0, 7, 70);
  lanes[1]!.add(1, 5, 500);
  stats.onTime(startMs);
  assert.is(counted.sum('GROUP_GET_NUMS', 'T@G'), 15);
  assert.equal(stats.view('GROUP_GET_SIZE', 'T@G')!.minute, { sum: 1500, tps: 150, avgpt: 750 });
  assert.is(counted.sum('GROUP_GET_NUMS', 'U@G'), 7);
  assert.equal([stats.groupGetTps('G', 'T'), stats.groupGetTps('G', 'V')], [1.5, 0]);
});

broker('a lane that was made anew gives out its slots again, and nothing is lost or counted twice', () => {
  const counted = new Counted();
  const { stats, lanes } = counted;
  const [lane] = lanes;
  stats.pairNamed('pulled', 0, 0, 'T', 'G');
  lane!.add(0, 10, 10);
  stats.onTime(startMs);
  lane!.clear(0);
  stats.pairNamed('pulled', 0, 0, 'U', 'H');
  lane!.add(0, 3, 3);
  lane!.clear(1);
  stats.pairNamed('pulled', 0, 1, 'T', 'G');
  lane!.add(1, 2, 2);
  stats.onTime(startMs + 10_000);
  assert.equal([counted.sum('GROUP_GET_NUMS', 'T@G'), counted.sum('GROUP_GET_NUMS', 'U@H')], [12, 3]);
});

broker('what comes back is counted apart from what was handed out', () => {
  const counted = new Counted();
  const { stats, lanes, sendLanes } = counted;
  stats.pairNamed('pulled', 0, 0, 'T', 'G');
  stats.pairNamed('sentBack', 0, 0, 'T', 'G');
  lanes[0]!.add(0, 10, 10);
  sendLanes[0]!.add(0, 1, 100);
  stats.onTime(startMs);
  assert.equal([counted.sum('GROUP_GET_NUMS', 'T@G'), counted.sum('SNDBCK_PUT_NUMS', 'T@G')], [10, 1]);
  stats.forgetTopic('T');
  assert.is(stats.view('SNDBCK_PUT_NUMS', 'T@G'), undefined);
});

broker('the whole broker has statistics under the name of its cluster', () => {
  const counted = new Counted();
  counted.stats.onTime(startMs);
  assert.is(counted.sum('BROKER_PUT_NUMS', 'C'), undefined);
  counted.totals.put = 4;
  counted.totals.get = 3;
  counted.stats.onTime(startMs + 10_000);
  assert.equal([counted.sum('BROKER_PUT_NUMS', 'C'), counted.sum('BROKER_GET_NUMS', 'C')], [4, 3]);
});

broker('forgets topics and groups; what comes later begins at nothing', () => {
  const counted = new Counted();
  const { stats, stored, lanes, numbers } = counted;
  const [queue] = numbers.of('T', 1);
  stats.pairNamed('pulled', 0, 0, 'T', 'G');
  stats.pairNamed('pulled', 0, 1, 'U', 'G');
  const count = (): void => {
    stored.add(queue!, 1);
    lanes[0]!.add(0, 1, 1);
    lanes[0]!.add(1, 1, 1);
  };
  const there = (): boolean[] =>
    [
      ['TOPIC_PUT_NUMS', 'T'],
      ['GROUP_GET_NUMS', 'T@G'],
      ['GROUP_GET_NUMS', 'U@G'],
    ].map(([name, key]) => stats.view(name!, key!) !== undefined);
  count();
  stats.forgetTopic('T');
  assert.equal(there(), [false, false, true]);
  stats.forgetGroup('G');
  assert.equal(there(), [false, false, false]);
  count();
  stats.onTime(startMs);
  assert.equal([counted.sum('TOPIC_PUT_NUMS', 'T'), counted.sum('GROUP_GET_NUMS', 'U@G')], [1, 1]);
});

broker.run();
