// @limit 180
/** What somebody has who never sees this checkout: the archive of `npm run dist`, and a cluster with one command. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Admin, Producer, PushConsumer } from '../../client/index.js';
import { eventually, numbered } from '../support/client-cluster.js';
import { collector, texts } from '../support/client-scenario.js';
import { checkoutFolder, freePort, removeFolder, temporaryFolder } from '../support/node-process.js';

const distribution = suite('distribution');
const built = (file: string): string => path.join(checkoutFolder(), 'dist', file);
let folder: string;

distribution.before(() => {
  folder = temporaryFolder();
});

distribution.after(() => removeFolder(folder));

/** A port behind which those of four brokers are free, each ten further than the last. */
async function portOfFour(): Promise<number> {
  for (let first = await freePort(), last = first; ; ) {
    const next = await freePort();
    if (next !== last + 5) first = next;
    last = next;
    if (last - first === 30) return first;
  }
}

/** A program whose output is gathered. */
class Program {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(file: string, args: readonly string[], cwd: string) {
    this.#child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: folder } });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', text => {
        this.output += text;
      });
    }
    this.#ended = once(this.#child, 'exit');
  }

  async says(text: string): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    while (!this.output.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`ended early:\n${this.output}`);
      if (performance.now() > deadlineMs) throw new Error(`does not say ${text}:\n${this.output}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    await this.#ended;
    return this.#child.exitCode;
  }
}

distribution('the archive runs where it is unpacked, with the commands of RocketMQ', async () => {
  const out = execFileSync(process.execPath, [built('cli/make-tarball.js'), folder], { encoding: 'utf8' }).trim();
  execFileSync('tar', ['-xzf', out], { cwd: folder });
  const home = out.slice(0, -'.tar.gz'.length);
  assert.equal(fs.readdirSync(path.join(home, 'conf', '2m-noslave')), ['broker-a.properties', 'broker-b.properties']);
  const [namesrvPort, port] = [await freePort(), await freePort()];
  fs.writeFileSync(path.join(folder, 'namesrv.properties'), `listenPort=${namesrvPort}\n`);
  const file = path.join(home, 'conf', '2m-noslave', 'broker-a.properties');
  fs.appendFileSync(file, `\nlistenPort=${port}\nbrokerIP1=127.0.0.1\nstorePathRootDir=${folder}/store\n`);
  const namesrv = new Program('./bin/mqnamesrv', ['-c', path.join(folder, 'namesrv.properties')], home);
  try {
    await namesrv.says('boot success');
    const words = ['-n', `127.0.0.1:${namesrvPort}`, '-c', './conf/2m-noslave/broker-a.properties'];
    const broker = new Program('./bin/mqbroker', words, home);
    try {
      await broker.says('boot success');
    } finally {
      assert.is(await broker.stop(), 0, broker.output);
    }
  } finally {
    assert.is(await namesrv.stop(), 0, namesrv.output);
  }
});

distribution('a cluster comes up with one command and goes with Ctrl-C', async () => {
  const [namesrvPort, port] = [await freePort(), await freePort()];
  const bin = path.join(checkoutFolder(), 'bin', 'ringmq');
  const words = ['cluster', 'up', '2m-noslave', '--dir', 'try', '--namesrvPort', `${namesrvPort}`, '--port', `${port}`];
  const cluster = new Program(bin, words, folder);
  try {
    await cluster.says('is up');
    const admin = new Admin({ namesrvAddr: `127.0.0.1:${namesrvPort}` });
    await admin.start();
    const { brokerAddrTable } = await admin.clusterInfo();
    await admin.shutdown();
    assert.equal(Object.keys(brokerAddrTable).sort(), ['broker-a', 'broker-b']);
  } finally {
    assert.is(await cluster.stop('SIGINT'), 0, cluster.output);
  }
  assert.equal(fs.readdirSync(path.join(folder, 'try', 'logs')).sort(), [
    'broker-a.log',
    'broker-b.log',
    'namesrv.log',
  ]);
  assert.ok(!fs.existsSync(path.join(folder, 'try', 'broker-a', 'abort')), 'the stores are closed');
});

distribution(
  'a master of a cluster is killed: consumers go on from its slave, producers with the other one',
  async () => {
    const [namesrvPort, port] = [await freePort(), await portOfFour()];
    const words = ['--dir', 'pairs', '--namesrvPort', `${namesrvPort}`, '--port', `${port}`];
    const bin = path.join(checkoutFolder(), 'bin', 'ringmq');
    const cluster = new Program(bin, ['cluster', 'up', '2m-2s-sync', ...words], folder);
    const namesrvAddr = `127.0.0.1:${namesrvPort}`;
    const admin = new Admin({ namesrvAddr });
    const producer = new Producer({ producerGroup: 'PairsSend', namesrvAddr, sendMsgTimeoutMs: 20_000 });
    const consumers: PushConsumer[] = [];
    const consume = async (consumerGroup: string): Promise<ReturnType<typeof collector>> => {
      const fromStart = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' } as const;
      const consumer = new PushConsumer({ consumerGroup, namesrvAddr, ...fromStart, onError: () => undefined });
      consumers.push(consumer);
      consumer.subscribe('Pairs');
      const got = collector(consumer);
      await consumer.start();
      return got;
    };
    try {
      await cluster.says('is up');
      await admin.start();
      const masters = Object.values((await admin.clusterInfo()).brokerAddrTable).map(
        ({ brokerAddrs }) => brokerAddrs[0]!,
      );
      for (const brokerAddr of masters) {
        await admin.createTopic({ brokerAddr, topic: 'Pairs', readQueueNums: 2, writeQueueNums: 2 });
      }
      const isRouted = async (): Promise<boolean> => (await admin.topicRoute('Pairs'))?.queueDatas.length === 2;
      await eventually(isRouted, 'the topic on both masters');
      await producer.start();
      const early = await consume('PairsEarly');
      const send = async (count: number): Promise<Set<string>> => {
        const brokers = new Set<string>();
        for (const message of numbered('Pairs', count, `${early.length}-`)) {
          const { sendStatus, messageQueue } = await producer.send(message);
          assert.is(sendStatus, 'SEND_OK');
          brokers.add(messageQueue.brokerName);
        }
        return brokers;
      };
      assert.equal([...(await send(40))].sort(), ['broker-a', 'broker-b']);
      await eventually(() => early.length >= 40, 'the first messages');
      const [, pid] = /^broker-a +\S+ +(\d+)$/m.exec(cluster.output)!;
      process.kill(Number(pid), 'SIGKILL');
      await cluster.says('broker-a has ended (signal SIGKILL)');
      await send(40);
      const late = await consume('PairsLate');
      await eventually(() => new Set(texts(early)).size === 80, 'all messages of who was there before');
      await eventually(() => new Set(texts(late)).size === 80, 'all messages of who came when the master was dead');
      assert.equal([...(await send(4))], ['broker-b']);
    } finally {
      await Promise.all([...consumers, producer, admin].map(client => client.shutdown()));
      assert.is(await cluster.stop('SIGINT'), 0, cluster.output);
    }
    assert.ok(!fs.existsSync(path.join(folder, 'pairs', 'broker-a-s', 'abort')), 'the stores are closed');
  },
);

distribution.run();
