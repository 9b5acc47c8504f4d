/** The broker and its name servers, each on its own. Source: spec remoting 9.2. */
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Registrar, type RegistrarOptions } from '../../../../actors/coordinator/registrar.js';
import { Connection } from '../../../../client/connection.js';
import { createTopicConfig } from '../../../../protocol/bodies/topic.js';
import { decodeRegisterBrokerBody, encodeBody } from '../../../../protocol/bodies.js';
import { RequestCode } from '../../../../protocol/codes.js';
import { createRequest, createResponse } from '../../../../protocol/command.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import { until } from '../../../support/until.js';

const registrar = suite('actors/coordinator/registrar');

const REGISTER = RequestCode.REGISTER_BROKER;
const UNREGISTER = RequestCode.UNREGISTER_BROKER;

/** A name server that takes every registration. */
async function nameServer(port = 0): Promise<FakeBroker> {
  const server = await FakeBroker.listen(port);
  return server
    .on(REGISTER, request => createResponse(request, 0))
    .on(UNREGISTER, request => createResponse(request, 0));
}

interface World {
  readonly servers: FakeBroker[];
  readonly registrars: Registrar[];
  open(addresses: string, options?: Partial<RegistrarOptions>): Registrar;
  readonly registered: string[];
  /** What name servers said of ordered topics. */
  readonly ordered: string[][];
}

/** Runs a test and ends everything it started. */
async function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  const world: World = {
    servers: [],
    registrars: [],
    registered: [],
    ordered: [],
    open(addresses, options = {}) {
      const made = new Registrar(
        {
          registration: {
            brokerName: 'broker-a',
            brokerClusterName: 'C',
            brokerId: 0,
            listenPort: 10_911,
            haListenPort: 10_912,
            brokerIP1: '',
            brokerIP2: '',
          },
          periodMs: 60_000,
          timeoutMs: 2000,
          topics: () => ({
            dataVersion: { counter: 3, timestamp: 4 },
            topicConfigTable: { T: createTopicConfig('T') },
          }),
          onRegistered: (namesrvAddr, brokerAddr) => world.registered.push(`${namesrvAddr} ${brokerAddr}`),
          onOrderedTopics: topics => world.ordered.push([...topics]),
          log: silentLogger,
          ...options,
        },
        addresses,
      );
      world.registrars.push(made);
      return made;
    },
  };
  try {
    await test(world);
  } finally {
    await Promise.all(world.registrars.map(one => one.stop()));
    await Promise.all(world.servers.map(one => one.close()));
  }
}

async function addServer(world: World, port = 0): Promise<FakeBroker> {
  const server = await nameServer(port);
  world.servers.push(server);
  return server;
}

registrar('registers the whole table, with the address of its side of the connection', () =>
  inWorld(async world => {
    const server = await addServer(world);
    world.open(server.address);
    await until(() => world.registered.length === 1, 'registered');
    assert.equal(world.registered, [`${server.address} 127.0.0.1:10911`]);
    const [request] = server.received(REGISTER);
    const { bodyCrc32, ...fields } = request!.extFields;
    assert.equal(fields, {
      brokerName: 'broker-a',
      brokerAddr: '127.0.0.1:10911',
      clusterName: 'C',
      haServerAddr: '127.0.0.1:10912',
      brokerId: '0',
      compressed: 'false',
    });
    assert.ok(Number(bodyCrc32) > 0);
    const { topicConfigSerializeWrapper } = decodeRegisterBrokerBody(request!.body, {
      compressed: false,
      version: request!.version,
    });
    assert.equal(Object.keys(topicConfigSerializeWrapper.topicConfigTable), ['T']);
    assert.equal(topicConfigSerializeWrapper.dataVersion, { counter: 3, timestamp: 4 });
  }),
);

registrar('calls itself 3.2.6, the newest that all name servers know', () =>
  inWorld(async world => {
    const server = await addServer(world);
    // MQVersion.value2Version of 3.2.6, which knows 140 versions.
    server.on(REGISTER, request =>
      request.version < 140
        ? createResponse(request, 0)
        : createResponse(request, 1, `Index ${request.version} out of bounds for length 140`),
    );
    world.open(server.address);
    await until(() => server.received(REGISTER).length > 0, 'asked');
    assert.is(server.received(REGISTER)[0]!.version, 79);
    await until(() => world.registered.length === 1, 'registered');
  }),
);

registrar('passes on which topics are ordered, when a name server says so', () =>
  inWorld(async world => {
    const silent = await addServer(world);
    const telling = await addServer(world);
    const body = encodeBody({ table: { T: 'broker-a:4', U: 'broker-a:1' } });
    telling.on(REGISTER, request => createResponse(request, 0, null, {}, body));
    world.open(`${silent.address};${telling.address}`);
    await until(() => world.registered.length === 2, 'registered with both');
    assert.equal(world.ordered, [['T', 'U']]);
  }),
);

registrar('advertises brokerIP1 and brokerIP2 when they are given', () =>
  inWorld(async world => {
    const server = await addServer(world);
    const registration = {
      brokerName: 'b',
      brokerClusterName: 'C',
      brokerId: 0,
      listenPort: 1,
      haListenPort: 2,
      brokerIP1: '10.1.1.1',
      brokerIP2: '10.2.2.2',
    };
    world.open(server.address, { registration });
    await until(() => server.received(REGISTER).length > 0, 'registered');
    const { brokerAddr, haServerAddr } = server.received(REGISTER)[0]!.extFields;
    assert.equal([brokerAddr, haServerAddr], ['10.1.1.1:1', '10.2.2.2:2']);
  }),
);

registrar('registers with all of them; one that is down, silent or refusing holds up nobody', () =>
  inWorld(async world => {
    const [first, second, silent, refusing] = await Promise.all([
      addServer(world),
      addServer(world),
      addServer(world),
      addServer(world),
    ]);
    silent.on(REGISTER, () => null);
    refusing.on(REGISTER, request => createResponse(request, 1, 'no'));
    const closed = await nameServer();
    const nobody = closed.address;
    await closed.close();
    world.open([nobody, silent.address, refusing.address, first.address, second.address].join(';'));
    await until(() => world.registered.length === 2, 'both that work');
    assert.equal(world.registered.map(line => line.split(' ')[0]).sort(), [first.address, second.address].sort());
    await until(() => refusing.received(REGISTER).length > 1, 'asked again');
    refusing.on(REGISTER, request => createResponse(request, 0));
    await until(() => world.registered.length === 3, 'the one that changed its mind');
  }),
);

registrar('one that comes late is registered with as soon as it is there', () =>
  inWorld(async world => {
    const place = await nameServer();
    const { port } = place;
    await place.close();
    world.open(`127.0.0.1:${port}`);
    const late = await addServer(world, port);
    await until(() => late.received(REGISTER).length > 0, 'registered');
  }),
);

registrar('a connection that closes is opened again at once: the name server has forgotten the broker', () =>
  inWorld(async world => {
    const server = await addServer(world);
    world.open(server.address);
    await until(() => server.received(REGISTER).length === 1, 'registered');
    for (let round = 2; round < 5; round++) {
      server.cut();
      await until(() => server.received(REGISTER).length >= round, 'registered again');
    }
    assert.is(world.registered.length, 1, 'told once');
  }),
);

registrar('registers again when topics changed, and once more when they changed meanwhile', () =>
  inWorld(async world => {
    const server = await addServer(world);
    const release: (() => void)[] = [];
    server.on(REGISTER, request => new Promise(resolve => release.push(() => resolve(createResponse(request, 0)))));
    const one = world.open(server.address);
    await until(() => release.length === 1, 'the first is asked');
    for (let index = 0; index < 10; index++) one.registerAll();
    release[0]!();
    await until(() => release.length === 2, 'once more for all of them');
    release[1]!();
    await until(() => world.registered.length === 1, 'registered');
    one.registerAll();
    await until(() => release.length === 3, 'and again');
    release[2]!();
    assert.is(server.connections, 1, 'on one connection');
  }),
);

registrar('registers by its period', () =>
  inWorld(async world => {
    const server = await addServer(world);
    world.open(server.address, { periodMs: 5 });
    await until(() => server.received(REGISTER).length >= 5, 'five of them');
  }),
);

registrar('a change while a failing attempt is under way is not lost', () =>
  inWorld(async world => {
    const server = await addServer(world);
    let answers = 0;
    server.on(REGISTER, request => createResponse(request, ++answers < 3 ? 1 : 0));
    const one = world.open(server.address);
    one.registerAll();
    await until(() => world.registered.length === 1, 'registered in the end');
  }),
);

registrar('takes a new list: keeps who stays, leaves who goes, adds who comes', () =>
  inWorld(async world => {
    const [first, second, third] = await Promise.all([addServer(world), addServer(world), addServer(world)]);
    const one = world.open(`${first.address};${second.address}`);
    await until(() => first.connections === 1 && second.connections === 1, 'both');
    one.setNameServers(` ${second.address} ; ${third.address};`);
    await until(() => third.received(REGISTER).length === 1, 'the new one');
    await until(() => first.connections === 0, 'the old one is left');
    assert.equal([second.accepted, first.received(UNREGISTER).length], [1, 0]);
    one.setNameServers('');
    await until(() => second.connections === 0 && third.connections === 0, 'nobody');
  }),
);

registrar('resting it stays connected and says nothing more, until it is left', () =>
  inWorld(async world => {
    const server = await addServer(world);
    const resting = world.open(server.address, { periodMs: 20 });
    await until(() => server.received(REGISTER).length > 1, 'it registers by its period');
    resting.rest();
    await until(() => server.requests.at(-1)!.code === REGISTER, 'what was under way is there');
    const before = server.received(REGISTER).length;
    resting.registerAll();
    const other = world.open(server.address, { takesOver: true });
    await until(() => world.registered.length === 2, 'the next one is registered');
    assert.is(server.received(REGISTER).length, before + 1);
    assert.is(server.connections, 2);
    resting.leave(server.address);
    await until(() => server.connections === 1, 'it is gone');
    await other.stop();
    assert.is(server.received(UNREGISTER).length, 1, 'the one that rested said no farewell');
  }),
);

registrar('stopping says farewell to who answers, and waits for nobody who does not', () =>
  inWorld(async world => {
    const [first, silent] = await Promise.all([addServer(world), addServer(world)]);
    silent.on(UNREGISTER, () => null);
    const closed = await nameServer();
    const nobody = closed.address;
    await closed.close();
    const one = world.open(`${first.address};${silent.address};${nobody}`);
    await until(() => world.registered.length === 2, 'registered');
    await one.stop();
    const [farewell] = first.received(UNREGISTER);
    assert.equal(farewell!.extFields, {
      brokerName: 'broker-a',
      brokerAddr: '127.0.0.1:10911',
      clusterName: 'C',
      brokerId: '0',
    });
    await until(() => first.connections === 0 && silent.connections === 0, 'all connections are closed');
    one.registerAll();
    await one.stop();
    assert.is(first.accepted, 1, 'nothing after the farewell');
  }),
);

registrar('stopping in the middle of a registration leaves no broker behind', () =>
  inWorld(async world => {
    const server = await addServer(world);
    let answer = (): void => {};
    server.on(REGISTER, request => new Promise(resolve => (answer = () => resolve(createResponse(request, 0)))));
    const one = world.open(server.address);
    await until(() => server.received(REGISTER).length === 1, 'asked');
    const stopping = one.stop();
    answer();
    await stopping;
    await until(() => server.connections === 0, 'the connection is closed');
    assert.equal(
      server.requests.map(request => request.code).filter(code => code !== RequestCode.GET_BROKER_CLUSTER_INFO),
      [REGISTER, UNREGISTER],
    );
  }),
);

registrar('stopping while it connects leaves no broker behind either', () =>
  inWorld(async world => {
    const server = await addServer(world);
    const one = world.open(server.address);
    await one.stop();
    // Another connection after it: when this one is answered, the first has been seen.
    const other = await Connection.open({ host: '127.0.0.1', port: server.port });
    await other.request(createRequest(UNREGISTER), 2000);
    await until(() => server.connections === 1, 'only the other connection is open', 2000);
    await other.close();
    assert.is(server.received(REGISTER).length, 0);
  }),
);

registrar('one that accepts and then hangs does not keep the process from stopping', () =>
  inWorld(async world => {
    const server = createServer(() => {});
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const sockets: { destroy(): void }[] = [];
    server.on('connection', socket => sockets.push(socket));
    const { port } = server.address() as { port: number };
    const one = world.open(`127.0.0.1:${port}`, { timeoutMs: 300 });
    await until(() => sockets.length > 0, 'connected');
    await one.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise<void>(resolve => server.close(() => resolve()));
  }),
);

registrar.run();
