/** Locks as an ordered consumer asks for them. Source: spec remoting 7.5. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorRoom, jsonBody } from './support.js';

const requests = suite('actors/coordinator/lock-requests');

const queue = (queueId: number): object => ({ brokerName: 'broker-a', queueId, topic: 'T' });
const bodyOf = (clientId: string, ...queueIds: number[]): Uint8Array =>
  jsonBody({ consumerGroup: 'G', clientId, mqSet: queueIds.map(queue) });
const textOf = (body: Uint8Array | null): string => new TextDecoder().decode(body!);

requests('locks and unlocks, and forgets after a minute', () => {
  const room = new CoordinatorRoom();
  assert.is(
    textOf(room.ask(41, {}, bodyOf('a', 0, 1)).body),
    '{"lockOKMQSet":[{"brokerName":"broker-a","queueId":0,"topic":"T"},{"brokerName":"broker-a","queueId":1,"topic":"T"}]}',
  );
  assert.is(textOf(room.ask(41, {}, bodyOf('b', 1)).body), '{"lockOKMQSet":[]}');
  const unlocked = room.ask(42, {}, bodyOf('a', 1));
  assert.equal([unlocked.code, unlocked.body], [0, null]);
  assert.match(textOf(room.ask(41, {}, bodyOf('b', 1)).body), /"queueId":1/);
  room.nowMs += 70_001;
  room.work();
  assert.is(room.locks.size, 0);
});

requests('a body that cannot be read is an error', () => {
  const room = new CoordinatorRoom();
  for (const code of [41, 42]) {
    assert.is(room.ask(code, {}, jsonBody([])).code, 1);
    assert.is(room.ask(code).code, 1);
  }
});

requests.run();
