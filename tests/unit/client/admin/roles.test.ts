import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../../../client/index.js';
import { createResponse } from '../../../../protocol/command.js';
import { withAdmin } from './support.js';

const roles = suite('client/admin/roles');

const slave = {
  brokerName: 'a',
  brokerRole: 'SLAVE',
  brokerId: '1',
  minimum: '0',
  appended: '70',
  haState: 'transfer',
};
const master = { ...slave, brokerRole: 'ASYNC_MASTER', brokerId: '0', registered: 'true', haState: '' };

roles('a change ends when the broker says it has its new role, also when it hangs up in between', () =>
  withAdmin(async (server, { roles: client }) => {
    server.on(RequestCode.RINGMQ_CHANGE_ROLE, request => createResponse(request, 0));
    let looks = 0;
    server.on(RequestCode.RINGMQ_GET_ROLE, request => {
      looks++;
      // As a broker whose rooms are started anew.
      if (looks === 2) return createResponse(request, 1, 'not now');
      return createResponse(request, 0, null, looks < 4 ? { ...slave, changing: 'true' } : master);
    });
    const state = await client.change(server.address, { brokerRole: 'ASYNC_MASTER', brokerId: 0, expectedEnd: 70 });
    assert.is(looks, 4);
    assert.equal(state, {
      ...{ address: server.address, brokerName: 'a', brokerRole: 'ASYNC_MASTER', brokerId: 0, minimum: 0 },
      ...{ appended: 70, haState: '', changing: false, refusal: '', registered: true },
    });
    assert.equal(server.received(RequestCode.RINGMQ_CHANGE_ROLE)[0]?.extFields, {
      ...{ brokerRole: 'ASYNC_MASTER', brokerId: '0', expectedEnd: '70', force: 'false', timeoutMs: '10000' },
    });
  }),
);

roles('a broker that stays what it is says why', () =>
  withAdmin(async (server, { roles: client }) => {
    server.on(RequestCode.RINGMQ_CHANGE_ROLE, request => createResponse(request, 0));
    server.on(RequestCode.RINGMQ_GET_ROLE, request =>
      createResponse(request, 0, null, { ...slave, refusal: '9 bytes' }),
    );
    try {
      await client.change(server.address, { brokerRole: 'ASYNC_MASTER', brokerId: 0 });
      assert.unreachable();
    } catch (error) {
      assert.is((error as { code?: string }).code, 'ROLE_REFUSED');
      assert.match((error as Error).message, /stays what it is: 9 bytes$/);
    }
  }),
);

roles('a broker that nobody registers is not settled, a slave that does not follow neither', () =>
  withAdmin(async (server, { roles: client }) => {
    let state: Readonly<Record<string, string>> = slave;
    server.on(RequestCode.RINGMQ_GET_ROLE, request => createResponse(request, 0, null, state));
    const codeOf = (options: { follows?: boolean }): Promise<unknown> =>
      client.settled(server.address, { ...options, patienceMs: 1 }).then(
        () => 'settled',
        error => error.code,
      );
    assert.is(await codeOf({}), 'REQUEST_TIMEOUT');
    state = { ...slave, registered: 'true' };
    assert.is(await codeOf({ follows: true }), 'settled');
    state = master;
    assert.is(await codeOf({ follows: true }), 'REQUEST_TIMEOUT');
    assert.is(await codeOf({}), 'settled');
  }),
);

roles.run();
