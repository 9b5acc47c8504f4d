import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../../../client/index.js';
import { ResponseCode } from '../../../../protocol/codes.js';
import { createResponse } from '../../../../protocol/command.js';
import { encodeFakeRecord } from '../../../support/fake-broker.js';
import { withAdmin } from './support.js';

const messages = suite('client/admin/messages');

const range = { beginTimestamp: 1, endTimestamp: 2, maxNum: 8 };

messages('leaves out what only shares the hash of a key', () =>
  withAdmin(async (server, { messages: client }) => {
    const records = [
      { topic: 'T', body: 'yes', properties: { KEYS: 'other k', UNIQ_KEY: 'U1' } },
      { topic: 'T', body: 'no', properties: { KEYS: 'kk', UNIQ_KEY: 'U2' } },
      { topic: 'X', body: 'no', properties: { KEYS: 'k', UNIQ_KEY: 'U1' } },
    ].map(encodeFakeRecord);
    const body = Buffer.concat(records);
    server.on(RequestCode.QUERY_MESSAGE, request => createResponse(request, 0, null, {}, body));
    const byKey = await client.query(server.address, { topic: 'T', key: 'k', unique: false, ...range });
    const byId = await client.query(server.address, { topic: 'T', key: 'U2', unique: true, ...range });
    assert.equal(
      [...byKey, ...byId].map(({ bodyText }) => bodyText),
      ['yes', 'no'],
    );
    assert.equal(server.received(RequestCode.QUERY_MESSAGE)[1]?.extFields, {
      ...{ topic: 'T', key: 'U2', maxNum: '8', beginTimestamp: '1', endTimestamp: '2', _UNIQUE_KEY_QUERY: 'true' },
    });
  }),
);

messages('nothing found is an empty list, a message that is gone undefined', () =>
  withAdmin(async (server, { messages: client }) => {
    server.on(RequestCode.QUERY_MESSAGE, request => createResponse(request, ResponseCode.QUERY_NOT_FOUND, 'none'));
    server.on(RequestCode.VIEW_MESSAGE_BY_ID, request => createResponse(request, ResponseCode.SYSTEM_ERROR, 'gone'));
    assert.equal(await client.query(server.address, { topic: 'T', key: 'k', unique: false, ...range }), []);
    const port = server.port.toString(16).padStart(8, '0');
    assert.is(await client.view(`7f000001${port}${'0'.repeat(15)}9`), undefined);
    assert.equal(server.received(RequestCode.VIEW_MESSAGE_BY_ID)[0]?.extFields, { offset: '9' });
  }),
);

messages.run();
