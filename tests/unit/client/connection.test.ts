import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Connection, type RequestHandler } from '../../../client/connection.js';
import { MQClientError, MQTimeoutError } from '../../../client/errors.js';
import { CommandFlag, RequestCode, ResponseCode, SerializeType } from '../../../protocol/codes.js';
import { createRequest, createResponse, type RemotingCommand } from '../../../protocol/command.js';
import { FakeBroker, rejectionOf } from '../../support/fake-broker.js';
import { until } from '../../support/until.js';

const connection = suite('client/connection');

/** Runs `body` with a server and a connection to it, and ends both. */
async function withConnection(
  body: (server: FakeBroker, client: Connection) => Promise<void>,
  onRequest?: RequestHandler,
): Promise<void> {
  const server = await FakeBroker.listen();
  try {
    const client = await Connection.open({ host: '127.0.0.1', port: server.port, onRequest });
    try {
      await body(server, client);
    } finally {
      await client.close();
    }
  } finally {
    await server.close();
  }
}

const ask = (n: number): RemotingCommand => createRequest(RequestCode.GET_MAX_OFFSET, { n });

connection('knows both ends', () =>
  withConnection(async (server, client) => {
    assert.is(client.address, server.address);
    assert.is(client.localAddress, '127.0.0.1');
    assert.ok(client.localPort > 0);
    assert.is(client.closed, false);
  }),
);

connection('writes the requests of one turn together and matches every answer', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, request =>
      createResponse(request, 0, null, { offset: Number(request.extFields.n) * 2 }),
    );
    const count = 200;
    const answers = await Promise.all(Array.from({ length: count }, (_, n) => client.request(ask(n), 5000)));
    assert.equal(
      answers.map(answer => Number(answer.extFields.offset)),
      Array.from({ length: count }, (_, n) => n * 2),
    );
    assert.is(server.requests.length, count);
    // TCP promises no boundaries, but 200 separate writes do not arrive in so few pieces.
    assert.ok(server.chunks <= 4, `${server.chunks} chunks`);
    assert.is(client.inFlight, 0);
  }),
);

connection('takes answers out of order', () =>
  withConnection(async (server, client) => {
    const held: RemotingCommand[] = [];
    const done: number[] = [];
    server.on(RequestCode.GET_MAX_OFFSET, (request, socket) => {
      held.push(request);
      if (held.length < 3) return null;
      for (const late of held.reverse()) {
        server.push({ ...createResponse(late, 0, null, { n: late.extFields.n }) });
      }
      assert.ok(!socket.destroyed);
      return null;
    });
    const requests = [0, 1, 2].map(n =>
      client.request(ask(n), 5000).then(answer => {
        done.push(n);
        assert.is(answer.extFields.n, String(n));
      }),
    );
    await Promise.all(requests);
    assert.equal(done, [2, 1, 0]);
  }),
);

connection('reads each answer with the decoder its type byte names', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, request => ({
      ...createResponse(request, ResponseCode.SYSTEM_ERROR, 'binary', { offset: 1 }),
      serializeType: SerializeType.ROCKETMQ,
    }));
    const answer = await client.request(ask(0), 5000);
    assert.is(answer.remark, 'binary');
    assert.is(answer.extFields.offset, '1');
  }),
);

connection('rejects what is not answered in time, and keeps what is', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, () => null);
    server.on(RequestCode.GET_MIN_OFFSET, request => createResponse(request, 0));
    const silent = client.request(ask(0), 1000);
    // An answer after the request left: the connection is alive, only that request failed.
    await client.request(createRequest(RequestCode.GET_MIN_OFFSET), 5000);
    const error = await rejectionOf(silent);
    assert.instance(error, MQTimeoutError);
    assert.is((error as MQTimeoutError).timeoutMs, 1000);
    assert.is(client.closed, false);
    assert.is((await client.request(createRequest(RequestCode.GET_MIN_OFFSET), 5000)).code, 0);
  }),
);

connection('a connection silent since the request left is given up', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, () => null);
    const slow = client.request(ask(1), 60_000);
    const error = await rejectionOf(client.request(ask(0), 30));
    assert.instance(error, MQTimeoutError);
    const cause = await rejectionOf(slow);
    assert.is((cause as MQClientError).code, 'CONNECTION_CLOSED');
    assert.is(client.closed, true);
  }),
);

connection('a dead connection rejects everything with one cause', () =>
  withConnection(async (server, client) => {
    const causes: MQClientError[] = [];
    client.onClose = cause => causes.push(cause);
    server.on(RequestCode.GET_MAX_OFFSET, () => null);
    const waiting = [0, 1, 2].map(n => rejectionOf(client.request(ask(n), 60_000)));
    await until(() => server.requests.length === 3, 'three requests');
    server.cut();
    const errors = await Promise.all(waiting);
    assert.instance(errors[0], MQClientError);
    assert.is((errors[0] as MQClientError).code, 'CONNECTION_CLOSED');
    assert.ok(errors.every(error => error === errors[0]));
    assert.equal(causes, [errors[0]]);
    assert.is(await rejectionOf(client.request(ask(3), 1000)), errors[0]);
    assert.throws(() => client.sendOneway(ask(4)), /closed/);
  }),
);

connection('close() rejects what waits and sends what was written', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, () => null);
    const waiting = rejectionOf(client.request(ask(0), 60_000));
    client.sendOneway(createRequest(RequestCode.UPDATE_CONSUMER_OFFSET, { commitOffset: 5 }));
    await client.close();
    assert.is(((await waiting) as MQClientError).code, 'CONNECTION_CLOSED');
    await until(() => server.requests.length === 2, 'both frames');
    const oneway = server.received(RequestCode.UPDATE_CONSUMER_OFFSET)[0];
    assert.is(oneway?.flag, CommandFlag.ONEWAY);
    assert.is(oneway?.extFields.commitOffset, '5');
    await until(() => server.connections === 0, 'the connection to close');
  }),
);

connection('answers requests of the peer with code 3 unless told otherwise, and oneway ones never', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MIN_OFFSET, request => createResponse(request, 0));
    await client.request(createRequest(RequestCode.GET_MIN_OFFSET), 5000);
    server.push({ ...createRequest(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED), flag: CommandFlag.ONEWAY, opaque: 7 });
    server.push({ ...createRequest(RequestCode.RESET_CONSUMER_CLIENT_OFFSET), opaque: 8 });
    await until(() => server.answers.length > 0, 'an answer');
    assert.equal(
      server.answers.map(answer => [answer.opaque, answer.code]),
      [[8, ResponseCode.REQUEST_CODE_NOT_SUPPORTED]],
    );
  }),
);

connection('a request of the peer may carry the opaque of one of ours', () =>
  withConnection(
    async (server, client) => {
      server.on(RequestCode.GET_MIN_OFFSET, request => {
        server.push({ ...createRequest(RequestCode.CHECK_TRANSACTION_STATE), opaque: request.opaque });
        return createResponse(request, 0, null, { offset: 3 });
      });
      const answer = await client.request(createRequest(RequestCode.GET_MIN_OFFSET), 5000);
      assert.is(answer.extFields.offset, '3');
      await until(() => server.answers.length > 0, 'an answer');
      assert.is(server.answers[0]?.remark, 'handled');
    },
    request => createResponse(request, 0, 'handled'),
  ),
);

connection('an error of the handler becomes SYSTEM_ERROR', () =>
  withConnection(
    async (server, client) => {
      server.on(RequestCode.GET_MIN_OFFSET, request => createResponse(request, 0));
      await client.request(createRequest(RequestCode.GET_MIN_OFFSET), 5000);
      server.push({ ...createRequest(RequestCode.CHECK_TRANSACTION_STATE), opaque: 1 });
      await until(() => server.answers.length > 0, 'an answer');
      assert.is(server.answers[0]?.code, ResponseCode.SYSTEM_ERROR);
      assert.is(server.answers[0]?.remark, 'no');
    },
    () => {
      throw new Error('no');
    },
  ),
);

connection('bytes that are no frame close it', () =>
  withConnection(async (server, client) => {
    server.on(RequestCode.GET_MAX_OFFSET, () => {
      server.pushRaw(Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
      return null;
    });
    const error = await rejectionOf(client.request(ask(0), 60_000));
    assert.is((error as MQClientError).code, 'BAD_ANSWER');
    assert.is(client.closed, true);
  }),
);

connection('a port nobody listens on is CONNECT_FAILED', async () => {
  const server = await FakeBroker.listen();
  const { port } = server;
  await server.close();
  const error = await rejectionOf(Connection.open({ host: '127.0.0.1', port }));
  assert.is((error as MQClientError).code, 'CONNECT_FAILED');
});

connection.run();
