import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTopicEntry, NewsType, TopicNews } from '../../../actors/topic-news.js';
import { TopicSnapshot } from '../../../actors/topic-snapshot.js';
import { makeRing, topicEntry } from '../../support/rooms.js';

const snapshot = suite('actors/topic-snapshot');

const find = (topics: TopicSnapshot, name: string): string | undefined => {
  const bytes = Buffer.from(`<${name}>`);
  return topics.find(bytes, 1, bytes.length - 1)?.name;
};

snapshot('finds topics by the bytes of their names', () => {
  const topics = new TopicSnapshot();
  // "Aa" and "BB" have the same hash.
  for (const name of ['Aa', 'BB', '%RETRY%ü', 'T']) topics.put(topicEntry(name));
  for (const name of ['Aa', 'BB', '%RETRY%ü', 'T']) assert.is(find(topics, name), name);
  for (const name of ['', 'A', 'Aab', 'aA', 'U']) assert.is(find(topics, name), undefined, name);
});

snapshot('replaces and deletes, whoever shares the hash', () => {
  const topics = new TopicSnapshot();
  topics.put(topicEntry('Aa', 1));
  topics.put(topicEntry('BB', 1));
  topics.put(topicEntry('Aa', 7));
  assert.is(topics.get('Aa')!.readQueueNums, 7);
  topics.delete('Aa');
  assert.equal([find(topics, 'Aa'), find(topics, 'BB'), topics.get('Aa')], [undefined, 'BB', undefined]);
  topics.delete('Aa');
  topics.delete('BB');
  assert.is(find(topics, 'BB'), undefined);
});

snapshot('news fills it, in order, and stops where its reader stops', () => {
  const ring = makeRing();
  const news = new TopicNews(ring);
  const tell = (type: number, text: string): boolean => ring.offer(type, new TextEncoder().encode(text));
  tell(NewsType.TOPIC, formatTopicEntry(topicEntry('A', 2)));
  tell(NewsType.TOPIC, formatTopicEntry(topicEntry('B', 3, {}, 2)));
  tell(NewsType.TOPIC_DELETED, 'A');
  tell(NewsType.SETTINGS, '{}');
  tell(NewsType.TOPIC, formatTopicEntry(topicEntry('C', 1, {}, 5)));
  assert.is(
    news.drain(() => false),
    3,
  );
  assert.equal(
    [find(news.snapshot, 'A'), find(news.snapshot, 'B'), find(news.snapshot, 'C')],
    [undefined, 'B', undefined],
  );
  assert.equal(news.snapshot.get('B')!.queueNumbers, Int32Array.from([2, 3, 4]));
  const others: number[] = [];
  assert.is(
    news.drain(from => others.push(from.type) > 0),
    2,
  );
  assert.equal([others, find(news.snapshot, 'C')], [[NewsType.SETTINGS], 'C']);
  assert.is(news.drain(), 0);
});

snapshot.run();
