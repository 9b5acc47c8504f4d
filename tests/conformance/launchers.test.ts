// @limit 180
/**
 * The programs of bin/, as somebody in a checkout starts them: what they print, how they end, what they leave behind.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Producer, PullConsumer } from '../../client/index.js';
import type { MessageQueue } from '../../protocol/bodies/message-queue.js';
import { eventually } from '../support/client-cluster.js';
import {
  checkoutFolder,
  freePort,
  type Launchers,
  removeFolder,
  ringmqLaunchers,
  type ServerProcess,
  spawnBroker,
  startBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';

const launchers = suite('launchers');
const bin = path.join(checkoutFolder(), 'bin');
let programs: Launchers;
let folder: string;
let nameServer: ServerProcess;

launchers.before(async () => {
  const found = ringmqLaunchers();
  assert.ok(found, 'bin/ has the launchers');
  programs = found;
  folder = temporaryFolder();
  nameServer = await startNameServer(programs, folder);
});

launchers.after(async () => {
  // A start that failed shows its own reason.
  await (nameServer as ServerProcess | undefined)?.stop();
  removeFolder(folder);
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. */
function runToEnd(file: string, args: readonly string[], cwd = folder): Promise<Ended> {
  return new Promise(resolve => {
    const child = execFile(file, args, { cwd, encoding: 'utf8', timeout: 60_000 }, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
  });
}

const printed = (server: ServerProcess): string => fs.readFileSync(server.logFile, 'utf8');

/** Sends one message, waiting for the broker to be known. */
async function send(namesrvAddr: string, topic: string, body: string): Promise<MessageQueue> {
  const producer = new Producer({ namesrvAddr, producerGroup: 'launchers' });
  await producer.start();
  try {
    let queue: MessageQueue | undefined;
    await eventually(async () => {
      try {
        const { sendStatus, messageQueue } = await producer.send({ topic, body });
        assert.is(sendStatus, 'SEND_OK');
        queue = messageQueue;
        return true;
      } catch (error) {
        if ((error as { code?: string }).code === 'NO_ROUTE') return false;
        throw error;
      }
    }, 'a send');
    return queue!;
  } finally {
    await producer.shutdown();
  }
}

async function readAll(namesrvAddr: string, queue: MessageQueue): Promise<string[]> {
  const consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'launchers' });
  await consumer.start();
  try {
    const { messages } = await consumer.pullBlockIfNotFound(queue, '*', 0);
    return messages.map(({ bodyText }) => bodyText);
  } finally {
    await consumer.shutdown();
  }
}

launchers('both programs say RocketMQ’s sentence once they listen', async () => {
  const server = await startBroker(programs, { nameServer: nameServer.address, folder, store: `${folder}/sentence` });
  try {
    const sentence =
      `The broker[broker-a, ${server.address}] boot success. serializeType=JSON` +
      ` and name server is ${nameServer.address}`;
    await eventually(() => printed(server).includes(sentence), 'the sentence');
    assert.ok(printed(server).split('\n').includes(sentence), 'on a line of its own');
    await eventually(() => printed(nameServer).includes('boot success'), 'the sentence');
    assert.ok(printed(nameServer).split('\n').includes('The Name Server boot success. serializeType=JSON'));
  } finally {
    await server.stop();
  }
});

launchers('SIGTERM ends a broker with 0 and leaves a clean store, which the next start serves', async () => {
  const store = path.join(folder, 'clean');
  const options = { nameServer: nameServer.address, folder, store, settings: { flushDiskType: 'SYNC_FLUSH' } };
  const first = await startBroker(programs, options);
  const queue = await send(nameServer.address, 'Clean', 'kept');
  assert.ok(fs.existsSync(path.join(store, 'abort')), 'abort is there while it runs');
  await first.stop();
  assert.is(first.exitCode, 0);
  assert.not(fs.existsSync(path.join(store, 'abort')));

  const second = await startBroker(programs, options);
  try {
    await send(nameServer.address, 'Other', 'the broker is known again');
    assert.equal(await readAll(nameServer.address, queue), ['kept']);
  } finally {
    await second.stop();
  }
});

launchers(
  'kill -9 leaves the abort file and a lock that binds nobody; the message is there after the next start',
  async () => {
    const store = path.join(folder, 'killed');
    const options = { nameServer: nameServer.address, folder, store, settings: { flushDiskType: 'SYNC_FLUSH' } };
    const first = await startBroker(programs, options);
    const queue = await send(nameServer.address, 'Killed', 'acknowledged');
    await first.kill();
    assert.ok(fs.existsSync(path.join(store, 'abort')));

    const second = await startBroker(programs, options);
    try {
      await send(nameServer.address, 'Other', 'the broker is known again');
      assert.equal(await readAll(nameServer.address, queue), ['acknowledged']);
    } finally {
      await second.stop();
    }
    assert.not(fs.existsSync(path.join(store, 'abort')));
  },
);

launchers('a second broker on the same store is refused with 255 and the way out; the first goes on', async () => {
  const store = path.join(folder, 'owned');
  const options = { nameServer: nameServer.address, folder, store };
  const owner = await startBroker(programs, options);
  try {
    const intruder = await spawnBroker(programs, options);
    await eventually(() => intruder.hasEnded, 'its end');
    assert.is(intruder.exitCode, 255);
    assert.match(printed(intruder), `mqbroker: the store ${store} is in use: process ${owner.pid}`);
    assert.match(printed(intruder), 'storePathRootDir');
    await send(nameServer.address, 'Owned', 'still served');
  } finally {
    await owner.stop();
  }
});

launchers('a port in use is refused with 255, and leaves the store to others', async () => {
  const store = path.join(folder, 'ports');
  const port = Number(nameServer.address.split(':')[1]);
  const late = await spawnBroker(programs, { nameServer: nameServer.address, folder, store, port });
  await eventually(() => late.hasEnded, 'its end');
  assert.is(late.exitCode, 255);
  assert.match(printed(late), `Another process uses port ${port}: stop it, or choose another port`);
  assert.not(fs.existsSync(path.join(store, 'lock.pid')));
  assert.not(fs.existsSync(path.join(store, 'abort')));
});

launchers('a program works through a symbolic link, from any folder', async () => {
  const links = path.join(folder, 'node_modules', '.bin');
  fs.mkdirSync(links, { recursive: true });
  for (const name of ['ringmq', 'mqbroker', 'mqnamesrv']) {
    const link = path.join(links, name);
    fs.symlinkSync(path.join(bin, name), link);
    const { code, out, err } = await runToEnd(link, ['--help'], links);
    assert.is(code, 0, err);
    assert.match(out, `Usage: ${name}`);
  }
});

launchers('a checkout that is not built says what to do', async () => {
  const copy = path.join(folder, 'unbuilt', 'bin');
  fs.cpSync(bin, copy, { recursive: true });
  fs.copyFileSync(path.join(checkoutFolder(), 'package.json'), path.join(folder, 'unbuilt', 'package.json'));
  const { code, out, err } = await runToEnd(path.join(copy, 'mqbroker'), []);
  assert.is(code, 1);
  assert.is(out, '');
  assert.match(err, /^mqbroker is not built yet: run `npm run build` in .*unbuilt\/\n$/);
});

launchers('ringmq start is a whole node that the other commands find, and Ctrl-C ends it cleanly', async () => {
  const store = path.join(folder, 'standalone');
  const namesrvPort = await freePort();
  const settings = { listenPort: await freePort(), namesrvListenPort: namesrvPort, storePathRootDir: store };
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(path.join(bin, 'ringmq'), ['start', 'standalone', ...set], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (out += text));
  const ended = once(child, 'exit');
  try {
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`it ended early:\n${out}`);
      return out.includes('boot success');
    }, 'its start');
    assert.match(out, `The broker[broker-a, 127.0.0.1:${settings.listenPort}] boot success.`);
    assert.match(out, `name server is 127.0.0.1:${namesrvPort}`, 'the port that was set, not that of the preset');
    assert.match(out, store, 'where the messages are');
    const reach = ['-n', `127.0.0.1:${namesrvPort}`];
    await eventually(
      async () => (await runToEnd(path.join(bin, 'ringmq'), ['send', 'Hello', 'Hello, RingMQ', ...reach])).code === 0,
      'the first message',
    );
    const pulled = await runToEnd(path.join(bin, 'ringmq'), ['pull', 'Hello', ...reach]);
    assert.match(pulled.out, /Hello, RingMQ\n$/);
  } finally {
    child.kill('SIGINT');
  }
  const [code] = await ended;
  assert.is(code, 0, out);
  assert.not(fs.existsSync(path.join(store, 'abort')));
});

launchers.run();
