/** Replies on their way from a consumer to the producer that asked. Source: spec remoting 5.8. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { NewsType } from '../../../../actors/topic-news.js';
import { createResponse, encodeCommand } from '../../../../protocol/command.js';
import { parseProperties } from '../../../support/raw-record.js';
import { frameOf, type Outbound, takeAll } from '../../../support/rooms.js';
import { CoordinatorRoom, heartbeatOf, jsonBody, putFromLane } from './support.js';

const replies = suite('actors/coordinator/reply-push');
const [PRODUCER, RESPONDER] = [3, 7];
const body = new TextEncoder().encode('the answer');

function roomWithProducer(settings: ConstructorParameters<typeof CoordinatorRoom>[0] = {}): CoordinatorRoom {
  const room = new CoordinatorRoom(settings);
  room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'asker', group: '', producers: ['P'] })), PRODUCER);
  return room;
}

/** A reply in the short names of a 4.9 client, as its send lane hands it on. */
function put(room: CoordinatorRoom, properties: string, oneway = false): void {
  const fields = { a: 'R', b: 'DefaultCluster_REPLY_TOPIC', c: 'TBW102', d: 4, e: 0, f: 0, g: 5, h: 0, i: properties };
  const frame = frameOf(325, fields, body, { opaque: 70, oneway });
  putFromLane(room.fromSendLane, CoordinatorType.REPLY, frame, RESPONDER);
  room.work();
}

const TO_ASKER = 'REPLY_TO_CLIENT\u0001asker\u0002CORRELATION_ID\u0001c1';

function answer(room: CoordinatorRoom, asked: Outbound, code: number): Promise<void> {
  room.put(encodeCommand(createResponse(asked.command!, code)), asked.connectionId);
  room.work();
  return new Promise(setImmediate);
}

const newsTypes = (room: CoordinatorRoom): number[] =>
  takeAll(room.sendNews)
    .map(({ type }) => type)
    .filter(type => type === NewsType.REPLY_PUSHED || type === NewsType.REPLY_UNDELIVERED);

replies('a reply reaches its producer, with long names; then its lane stores it and answers', async () => {
  const room = roomWithProducer();
  put(room, TO_ASKER);
  const [asked, ...others] = room.take();
  assert.equal([asked!.connectionId, asked!.command!.code, others], [PRODUCER, 326, []]);
  const { topic, producerGroup, bornHost, storeHost, properties } = asked!.command!.extFields;
  assert.equal([topic, producerGroup, bornHost], ['DefaultCluster_REPLY_TOPIC', 'R', '127.0.0.1:40000']);
  assert.match(storeHost!, /:\d+$/);
  const kept = parseProperties(properties!);
  assert.equal([kept.get('CORRELATION_ID'), kept.get('PUSH_REPLY_TIME')], ['c1', String(room.nowMs)]);
  assert.is(new TextDecoder().decode(asked!.command!.body!), 'the answer');
  assert.equal(newsTypes(room), [], 'not before the producer has it');
  await answer(room, asked!, 0);
  assert.equal([newsTypes(room), room.take()], [[NewsType.REPLY_PUSHED], []]);
});

replies('a reply that cannot be delivered is stored all the same, and its sender is told', async () => {
  const room = roomWithProducer();
  const undelivered = async (properties: string): Promise<string> => {
    put(room, properties);
    await new Promise(setImmediate);
    const [told] = room.take();
    assert.equal([told!.kind, told!.connectionId, told!.command!.code], ['frame', RESPONDER, 1]);
    assert.equal(newsTypes(room), [NewsType.REPLY_UNDELIVERED]);
    return told!.command!.remark!;
  };
  assert.match(await undelivered('CORRELATION_ID\u0001c1'), /REPLY_TO_CLIENT\] is null/);
  assert.match(await undelivered('REPLY_TO_CLIENT\u0001gone'), /channel of <gone> not found/);
  put(room, TO_ASKER);
  await answer(room, room.take()[0]!, 1);
  assert.match(room.take()[0]!.command!.remark!, /push reply message to <asker> fail/);
});

replies('where replies are not stored, the permit goes back with the answer', async () => {
  const room = roomWithProducer({ settings: { storeReplyMessageEnable: false } });
  put(room, TO_ASKER);
  await answer(room, room.take()[0]!, 0);
  const [told] = room.take();
  assert.equal([told!.kind, told!.command!.code, told!.command!.extFields.msgId], ['refused', 0, '0']);
  put(room, TO_ASKER, true);
  await answer(room, room.take()[0]!, 0);
  assert.equal(room.take(), [{ kind: 'refused', connectionId: RESPONDER }]);
  assert.equal(newsTypes(room), []);
});

replies.run();
