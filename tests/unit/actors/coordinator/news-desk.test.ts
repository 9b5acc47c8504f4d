/** News to lanes and dispatcher: everybody, in order, nothing lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NewsDesk, type NewsReader } from '../../../../actors/coordinator/news-desk.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { CountingBell, fillRing, makeRing, takeAll, topicEntry } from '../../../support/rooms.js';
import { takeNews, topicsIn } from './support.js';

const desk = suite('actors/coordinator/news-desk');

const reader = (kind: NewsReader['kind'], capacityBytes = 64 * 1024): NewsReader & { bell: CountingBell } => ({
  kind,
  ring: makeRing(capacityBytes),
  bell: new CountingBell(),
});

const group = {
  name: 'G',
  consumeEnable: true,
  consumeBroadcastEnable: true,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
};

desk('a lane that does not run yet is told nothing', () => {
  let runs = false;
  const late = { ...reader('sendLane'), runs: () => runs };
  const news = new NewsDesk([reader('sendLane'), late]);
  news.topic(topicEntry('T'));
  news.settings('sendLane', { a: 1 });
  assert.is(takeAll(late.ring).length, 0);
  runs = true;
  news.topic(topicEntry('U'));
  assert.is(takeAll(late.ring).length, 1);
});

desk('tells everybody what concerns them', () => {
  const readers = [
    reader('sendLane'),
    reader('sendLane'),
    reader('pullLane'),
    reader('dispatcher'),
    reader('flushService'),
  ];
  const news = new NewsDesk(readers);
  news.topic(topicEntry('T'));
  news.topicDeleted('U');
  news.group(group);
  news.groupDeleted('H');
  news.settings('sendLane', { a: 1 });
  const types = readers.map(({ ring }) => takeNews(ring).map(({ type }) => type));
  const { TOPIC, TOPIC_DELETED, GROUP, GROUP_DELETED, SETTINGS } = NewsType;
  assert.equal(types, [
    [TOPIC, TOPIC_DELETED, GROUP, GROUP_DELETED, SETTINGS],
    [TOPIC, TOPIC_DELETED, GROUP, GROUP_DELETED, SETTINGS],
    [TOPIC, TOPIC_DELETED, GROUP, GROUP_DELETED],
    [TOPIC, TOPIC_DELETED],
    [],
  ]);
  assert.ok(readers.slice(0, 4).every(({ bell }) => bell.rings > 0));
});

desk('send lanes hear what a group is, not what its members subscribe to', () => {
  const [lane, pull] = [reader('sendLane'), reader('pullLane')];
  const members = { messageModel: 'CLUSTERING', subscriptions: [] };
  new NewsDesk([lane, pull]).group({ ...group, retryQueueNums: 2, retryMaxTimes: 3, members });
  const told = { ...group, retryQueueNums: 2, retryMaxTimes: 3 };
  assert.equal(takeNews(lane.ring), [{ type: NewsType.GROUP, value: told }]);
  assert.equal(takeNews(pull.ring), [{ type: NewsType.GROUP, value: { ...told, members } }]);
});

desk('gives a frame back to the lane it came from', () => {
  const readers = [reader('pullLane'), reader('sendLane'), reader('sendLane')];
  const news = new NewsDesk(readers);
  news.frame('sendLane', 1, Uint8Array.from([1, 2]));
  assert.equal(
    readers.map(({ ring }) => takeAll(ring).length),
    [0, 0, 1],
  );
  assert.throws(() => news.frame('sendLane', 2, new Uint8Array(1)), /there is no sendLane 2/);
});

desk('what a full ring does not take comes later, before anything newer, and holds up nobody else', () => {
  const [slow, fast] = [reader('sendLane', 1024), reader('sendLane')];
  const news = new NewsDesk([slow, fast]);
  const filler = fillRing(slow.ring, 99, 100);
  for (let index = 0; index < 30; index++) news.topic(topicEntry(`T${index}`, 1));
  news.frame('sendLane', 0, Uint8Array.from([7]));
  const wanted = Array.from({ length: 30 }, (_, index) => `T${index}`);
  assert.equal(topicsIn(takeNews(fast.ring)), wanted);
  assert.is(news.isWaiting, true);
  assert.is(takeAll(slow.ring).length, filler, 'nothing squeezed in');
  const seen: ReturnType<typeof takeNews> = [];
  for (let round = 0; news.isWaiting; round++) {
    assert.ok(round < 31, 'it goes on');
    const rings = slow.bell.rings;
    assert.ok(news.retry() > 0);
    assert.ok(slow.bell.rings > rings);
    seen.push(...takeNews(slow.ring));
  }
  assert.equal(topicsIn(seen), wanted);
  assert.is(seen.at(-1)!.type, NewsType.FRAME, 'behind the news it was waiting for');
  assert.is(news.retry(), 0);
});

desk('news that fits no ring does not block what comes after it', () => {
  const small = reader('pullLane', 1024);
  const news = new NewsDesk([small]);
  const subscriptions = Array.from({ length: 50 }, (_, index) => ({
    topic: `T${index}`,
    subString: '*',
    subVersion: 1,
    expressionType: 'TAG',
  }));
  assert.not.throws(() => news.group({ ...group, members: { messageModel: 'CLUSTERING', subscriptions } }));
  news.topic(topicEntry('T'));
  const seen: string[] = [];
  for (let round = 0; round < 3; round++) {
    news.retry();
    seen.push(...topicsIn(takeNews(small.ring)));
  }
  assert.equal(seen, ['T']);
});

desk.run();
