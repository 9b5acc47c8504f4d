/** What administrators ask about clients, and what is passed on to one. Source: spec remoting 4.2.2, 4.2.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeBody } from '../../../../protocol/bodies.js';
import { createResponse, encodeCommand, type RemotingCommand } from '../../../../protocol/command.js';
import { formatMessageId } from '../../../../protocol/message-id.js';
import { frameOf, type Outbound, putClosed } from '../../../support/rooms.js';
import { CoordinatorRoom, heartbeatOf, jsonBody } from './support.js';

const requests = suite('actors/coordinator/client-requests');

const bodyOf = (command: RemotingCommand): Record<string, unknown> => decodeBody(command.body, 'body');
const textOf = (command: RemotingCommand): string => new TextDecoder().decode(command.body!);
const ADMIN = 9;

/** Clients a and b of the group G, on connections 1 and 2. */
function roomWithClients(): CoordinatorRoom {
  const room = new CoordinatorRoom();
  room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'a', producers: ['P'] })), 1);
  room.ask(34, {}, jsonBody(heartbeatOf({ clientId: 'b', group: 'G' })), 2);
  return room;
}

/** Asks as an administrator; what the broker asked of clients then. */
function passedOn(room: CoordinatorRoom, code: number, fields: Record<string, string>): Outbound[] {
  room.put(frameOf(code, fields, null, { opaque: 77 }), ADMIN);
  room.work();
  return room.take();
}

function answer(room: CoordinatorRoom, { connectionId, command }: Outbound, body: string | null, code = 0): void {
  const bytes = body === null ? null : new TextEncoder().encode(body);
  room.put(encodeCommand(createResponse(command!, code, 'leftover', { own: 'field' }, bytes)), connectionId);
  room.work();
}

/** The answer to the administrator, once promises had their turn. */
async function toAdmin(room: CoordinatorRoom): Promise<RemotingCommand> {
  await new Promise(setImmediate);
  const taken = room.take();
  assert.equal(
    taken.map(({ connectionId, command }) => [connectionId, command?.opaque, command?.flag]),
    [[ADMIN, 77, 1]],
  );
  return taken[0]!.command!;
}

requests('lists the consumers of a group with what they want', () => {
  const room = roomWithClients();
  const info = bodyOf(room.ask(203, { consumerGroup: 'G' }));
  const address = '127.0.0.1:40000';
  assert.equal(info.connectionSet, [
    { clientId: 'a', clientAddr: address, language: 'JAVA', version: 409 },
    { clientId: 'b', clientAddr: address, language: 'JAVA', version: 409 },
  ]);
  assert.equal(
    [info.consumeType, info.messageModel, info.consumeFromWhere],
    ['CONSUME_PASSIVELY', 'CLUSTERING', 'CONSUME_FROM_LAST_OFFSET'],
  );
  assert.equal(Object.keys(info.subscriptionTable as object), ['T']);
  assert.is(room.ask(203, { consumerGroup: 'H' }).code, 206);
});

requests('lists the producers of a group, and those of all', () => {
  const room = roomWithClients();
  const { connectionSet } = bodyOf(room.ask(204, { producerGroup: 'P' })) as { connectionSet: { clientId: string }[] };
  assert.equal(
    connectionSet.map(({ clientId }) => clientId),
    ['a'],
  );
  assert.is(room.ask(204, { producerGroup: 'Q' }).code, 1);
  const { data } = bodyOf(room.ask(328)) as { data: Record<string, object[]> };
  assert.equal(data, {
    P: [
      {
        clientId: 'a',
        remoteIP: '/127.0.0.1:40000',
        language: 'JAVA',
        version: 409,
        lastUpdateTimestamp: room.nowMs,
      },
    ],
  });
});

requests('passes a question on to one client, and its answer back as it came', async () => {
  const room = roomWithClients();
  const fields = { consumerGroup: 'G', clientId: 'b', jstackEnable: 'true', unknown: 'kept' };
  const [asked, ...others] = passedOn(room, 307, fields);
  assert.equal([asked!.connectionId, asked!.command!.code, asked!.command!.flag, others], [2, 307, 0, []]);
  assert.equal(asked!.command!.extFields, fields);
  answer(room, asked!, '{"mqTable":{}}');
  const response = await toAdmin(room);
  assert.equal(
    [response.code, response.remark, response.extFields, textOf(response)],
    [0, 'leftover', { own: 'field' }, '{"mqTable":{}}'],
  );
});

requests('who does not answer in ten seconds, or goes, is said to', async () => {
  const room = roomWithClients();
  passedOn(room, 307, { consumerGroup: 'G', clientId: 'a' });
  assert.ok(room.coordinator.deadlineMs() <= room.nowMs + 10_000);
  room.nowMs += 10_000;
  room.work();
  assert.is((await toAdmin(room)).code, 207);
  passedOn(room, 307, { consumerGroup: 'G', clientId: 'b' });
  putClosed(room.fromRemoting, 2);
  room.work();
  await new Promise(setImmediate);
  const response = room.take().find(({ connectionId }) => connectionId === ADMIN)!.command!;
  assert.is(response.code, 1);
  assert.match(response.remark!, /closed/);
});

requests('who is not there, or too old, is not asked', async () => {
  const room = roomWithClients();
  assert.equal(
    passedOn(room, 307, { consumerGroup: 'G', clientId: 'x' }).filter(({ connectionId }) => connectionId !== ADMIN),
    [],
  );
  assert.match((await toAdmin(room)).remark!, /not online/);
  const old = frameOf(34, {}, jsonBody(heartbeatOf({ clientId: 'old', group: 'O' })));
  const text = Buffer.from(old).toString('latin1').replace('"version":409', '"version":061');
  room.put(Buffer.from(text.replace('061', ' 61'), 'latin1'), 3);
  room.work();
  room.take();
  passedOn(room, 307, { consumerGroup: 'O', clientId: 'old' });
  assert.match((await toAdmin(room)).remark!, /too low/);
});

requests('a client is given a stored message to consume', async () => {
  const room = roomWithClients();
  room.records.set(216, Uint8Array.from([1, 2, 3]));
  const msgId = formatMessageId(0x7f000001, 10_911, 216);
  const [asked] = passedOn(room, 309, { consumerGroup: 'G', clientId: 'a', msgId });
  assert.equal([...asked!.command!.body!], [1, 2, 3]);
  assert.is(asked!.command!.extFields.brokerName, 'broker-a');
  answer(room, asked!, '{"consumeResult":"CR_SUCCESS"}');
  assert.match(textOf(await toAdmin(room)), /CR_SUCCESS/);
  for (const id of [formatMessageId(0x7f000001, 10_911, 217), 'no id']) {
    assert.is(room.ask(309, { consumerGroup: 'G', clientId: 'a', msgId: id }).code, 1);
  }
});

requests('gathers how far the clients of a group are', async () => {
  const room = roomWithClients();
  const asked = passedOn(room, 223, { topic: 'T', group: 'G' });
  assert.equal(
    asked.map(({ connectionId, command }) => [connectionId, command!.code, command!.extFields]),
    [1, 2].map(connectionId => [connectionId, 221, { topic: 'T', group: 'G' }]),
  );
  answer(room, asked[0]!, '{"messageQueueTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:7}}');
  answer(room, asked[1]!, null, 1);
  assert.is(
    textOf(await toAdmin(room)),
    '{"consumerTable":{"a":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:7}},"messageQueueTable":{}}',
  );
  const one = passedOn(room, 223, { topic: 'T', group: 'G', clientAddr: 'b' });
  assert.equal(
    one.map(({ connectionId }) => connectionId),
    [2],
  );
  room.nowMs += 5000;
  room.work();
  assert.match(textOf(await toAdmin(room)), /"consumerTable":{}/, 'who does not answer is left out');
  passedOn(room, 223, { topic: 'T', group: 'Nobody' });
});

requests.run();
