/** An admin client with a server that is its name server and its broker. */
import { Admin } from '../../../../client/index.js';
import { FakeBroker } from '../../../support/fake-broker.js';

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

export async function withAdmin(body: (server: FakeBroker, client: Admin) => Promise<void>): Promise<void> {
  const server = await FakeBroker.listen();
  const client = new Admin({ namesrvAddr: server.address });
  await client.start();
  try {
    await body(server, client);
  } finally {
    await client.shutdown();
    await server.close();
  }
}
