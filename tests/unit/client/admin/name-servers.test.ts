import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Admin, RequestCode } from '../../../../client/index.js';
import { ResponseCode } from '../../../../protocol/codes.js';
import { createResponse } from '../../../../protocol/command.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import { withAdmin } from './support.js';

const nameServers = suite('client/admin/name-servers');

nameServers('what changes something goes to every name server', async () => {
  const servers = [await FakeBroker.listen(), await FakeBroker.listen()];
  const client = new Admin({ namesrvAddr: servers.map(({ address }) => address).join(';') });
  await client.start();
  try {
    for (const server of servers) {
      server.on(RequestCode.PUT_KV_CONFIG, request => createResponse(request, 0));
      server.on(RequestCode.DELETE_KV_CONFIG, request => createResponse(request, 0));
    }
    await client.nameServers.putKvConfig('N', 'k', 'v');
    await client.nameServers.deleteKvConfig('N', 'k');
    for (const server of servers) {
      assert.equal(
        server.requests.map(({ extFields }) => extFields),
        [
          { namespace: 'N', key: 'k', value: 'v' },
          { namespace: 'N', key: 'k' },
        ],
      );
    }
  } finally {
    await client.shutdown();
    for (const server of servers) await server.close();
  }
});

nameServers('a key or namespace that is not there is undefined', () =>
  withAdmin(async (server, { nameServers: client }) => {
    for (const code of [RequestCode.GET_KV_CONFIG, RequestCode.GET_KVLIST_BY_NAMESPACE])
      server.on(code, request => createResponse(request, ResponseCode.QUERY_NOT_FOUND, 'none'));
    assert.is(await client.kvConfig('N', 'k'), undefined);
    assert.is(await client.kvList('N'), undefined);
  }),
);

nameServers('the counts of topics are numbers', () =>
  withAdmin(async (server, { nameServers: client }) => {
    server.on(RequestCode.WIPE_WRITE_PERM_OF_BROKER, request =>
      createResponse(request, 0, null, { wipeTopicCount: 7 }),
    );
    server.on(RequestCode.ADD_WRITE_PERM_OF_BROKER, request => createResponse(request, 0, null, { addTopicCount: 8 }));
    assert.is(await client.wipeWritePerm(server.address, 'a'), 7);
    assert.is(await client.addWritePerm(server.address, 'a'), 8);
  }),
);

nameServers.run();
