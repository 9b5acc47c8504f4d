import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAddress, parseAddress, parseAddressList } from '../../../client/address.js';
import { provisionalQueues, publishQueues, subscribeQueues, whyUnwritable } from '../../../client/route.js';
import { matchesTags, parseTags } from '../../../client/tag-filter.js';
import { fakeRoute } from '../../support/fake-broker.js';

const route = suite('client/route');

const names = (queues: readonly { brokerName: string; queueId: number }[]): string[] =>
  queues.map(queue => `${queue.brokerName}:${queue.queueId}`);

route('publishes to writable queues of brokers with a master, by name', () => {
  const base = fakeRoute({ b: 'h:2', a: 'h:1' }, 2);
  assert.equal(names(publishQueues('T', base)), ['a:0', 'a:1', 'b:0', 'b:1']);
  const slaveOnly = { ...base, brokerDatas: [{ cluster: 'C', brokerName: 'a', brokerAddrs: { 1: 'h:1' } }] };
  assert.equal(publishQueues('T', slaveOnly), []);
  assert.match(whyUnwritable(slaveOnly), /on a, b, without a master/);
  const readOnly = fakeRoute({ a: 'h:1' }, 2, 4);
  assert.equal(publishQueues('T', readOnly), []);
  assert.is(whyUnwritable(readOnly), '', 'a master that takes none is another reason');
  assert.equal(names(subscribeQueues('T', readOnly)), ['a:0', 'a:1']);
  assert.equal(subscribeQueues('T', fakeRoute({ a: 'h:1' }, 2, 2)), []);
});

route('follows the order configuration where there is one', () => {
  const ordered = fakeRoute({ a: 'h:1' }, 8, 6, { orderTopicConf: 'b:1;a:2' });
  assert.equal(names(publishQueues('T', ordered)), ['b:0', 'a:0', 'a:1']);
});

route('a topic to be created gets no more queues than asked for', () => {
  assert.equal(names(provisionalQueues('T', fakeRoute({ a: 'h:1' }, 8, 7), 2)), ['a:0', 'a:1']);
  assert.equal(names(provisionalQueues('T', fakeRoute({ a: 'h:1' }, 1, 7), 4)), ['a:0']);
});

route('reads addresses and lists of them', () => {
  assert.equal(parseAddress('broker.example:10911'), { host: 'broker.example', port: 10911 });
  assert.equal(parseAddress('[::1]:9876'), { host: '::1', port: 9876 });
  assert.is(formatAddress('::1', 9876), '[::1]:9876');
  assert.equal(parseAddressList(' a:1; b:2 ;'), ['a:1', 'b:2']);
  for (const text of ['', ';', 'host', 'host:', ':1', 'host:70000', 'host:x']) {
    assert.throws(() => parseAddressList(text), /no address|names no name server/);
  }
});

route('checks tags by text', () => {
  for (const all of ['*', '', '  ']) assert.ok(matchesTags(parseTags(all), undefined));
  const tags = parseTags(' a || b|| ');
  assert.equal([...tags!], ['a', 'b']);
  assert.ok(matchesTags(tags, 'a'));
  assert.not(matchesTags(tags, 'A'));
  assert.not(matchesTags(tags, undefined));
});

route.run();
