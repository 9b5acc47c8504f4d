// @limit 400
/**
 * `ringmq switch` under stock Java producers with all their defaults: no error reaches the application, and what it was
 * told was sent is there, at its place. Java learns of a new master every 30 s only, so all this time it sends to the
 * old one. `clients/java-producer` is the application; `RINGMQ_JAVA_CLIENT` names one version to run
 * with, `RINGMQ_SWITCHES` how often it is switched.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaLaunchers } from '../support/java.js';
import {
  checkoutFolder,
  freePort,
  removeFolder,
  ringmqLaunchers,
  type ServerProcess,
  spawnBroker,
  startNameServer,
  temporaryFolder,
} from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { awaitRoute, createTopic, pullQueue } from '../support/raw-requests.js';
import { skip } from '../support/skip.js';
import { clientFolder } from '../support/stock-client.js';
import { until } from '../support/until.js';

const TOPIC = 'Steady';
const QUEUES = 4;
const THREADS = 6;
/** More make it long enough for refreshes of the route to fall into it. */
const SWITCHES = Number(process.env.RINGMQ_SWITCHES ?? 3);
const GET_ROLE = '12011';

const run = promisify(execFile);
const switching = suite('switching under Java producers');

function reasonToSkip(): string {
  const java = javaLaunchers('4.9.7');
  if (typeof java === 'string') return java;
  for (const tool of ['javac', 'mvn']) {
    if (spawnSync(tool, ['-version'], { stdio: 'ignore' }).status !== 0) return `there is no ${tool}`;
  }
  return ringmqLaunchers() === undefined ? 'bin/mqnamesrv and bin/mqbroker are not there' : '';
}

/** The program for one version, compiled into `folder`; its class path. */
function compile(version: string, folder: string): string {
  const isOld = version.startsWith('3.');
  const file = path.join(folder, 'classpath');
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:build-classpath';
  const group = isOld ? 'com.alibaba.rocketmq' : 'org.apache.rocketmq';
  const place = clientFolder('java-producer');
  const argv = [`-Drocketmq.group=${group}`, `-Drocketmq.version=${version}`, `-Dmdep.outputFile=${file}`, goal];
  const resolved = spawnSync('mvn', ['-B', '-q', ...argv], { cwd: place, encoding: 'utf8' });
  assert.is(resolved.status, 0, resolved.stdout);
  const jars = fs.readFileSync(file, 'utf8').trim();
  const source = fs.readFileSync(path.join(place, 'SteadyProducer.java'), 'utf8');
  const renamed = path.join(folder, 'SteadyProducer.java');
  fs.writeFileSync(renamed, source.replaceAll('org.apache.rocketmq', group));
  const compiled = spawnSync('javac', ['-nowarn', '-d', folder, '-cp', jars, renamed], { encoding: 'utf8' });
  assert.is(compiled.status, 0, compiled.stderr);
  return `${folder}:${jars}`;
}

/** The application: what it heard of each message it sent. */
class Application {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly accepted: string[] = [];
  readonly errors: string[] = [];
  slowestMs = 0;
  output = '';
  #rest = '';

  constructor(classPath: string, folder: string, nameServer: string, mode: string) {
    const options = ['-Xmx256m', `-Duser.home=${folder}`, '-cp', classPath];
    const argv = [...options, 'SteadyProducer', nameServer, TOPIC, String(THREADS), mode];
    this.#child = spawn('java', argv, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'exit');
    this.#child.stderr!.on('data', text => {
      this.output += text;
    });
    this.#child.stdout!.on('data', text => this.#onText(String(text)));
  }

  #onText(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const words = line.split(' ');
      if (words[0] === 'OK') {
        this.accepted.push(line);
        this.slowestMs = Math.max(this.slowestMs, Number(words[5]));
      } else if (words[0] === 'ERR') this.errors.push(line);
    }
  }

  async sendsOn(): Promise<void> {
    const before = this.accepted.length;
    await until(() => this.accepted.length > before + 50 * THREADS, 'the application sends', 60_000);
  }

  async end(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

class Cluster {
  readonly folder = temporaryFolder();
  readonly #servers: ServerProcess[] = [];
  nameServer = '';

  async start(): Promise<void> {
    const launchers = ringmqLaunchers()!;
    const nameServer = await startNameServer(launchers, this.folder);
    this.#servers.push(nameServer);
    this.nameServer = nameServer.address;
    for (const role of ['SYNC_MASTER', 'SLAVE']) {
      const settings = { brokerRole: role, brokerId: role === 'SLAVE' ? '1' : '0', slaveTimeout: '30000' };
      const place = { nameServer: this.nameServer, folder: this.folder, store: path.join(this.folder, role) };
      const broker = await spawnBroker(launchers, { ...place, port: await freePort(), settings });
      this.#servers.push(broker);
      await broker.listening();
    }
    const follows = async (): Promise<boolean> => (await this.#roleOf(this.#servers[2]!)).haState === 'transfer';
    await until(follows, 'the slave follows', 60_000);
    const client = await RawClient.connect(this.#servers[1]!.address);
    await createTopic(client, TOPIC, QUEUES);
    client.close();
    await awaitRoute(this.nameServer, TOPIC);
  }

  async #roleOf(broker: ServerProcess): Promise<Readonly<Record<string, string>>> {
    const client = await RawClient.connect(broker.address);
    const { ext } = await client.request(Number(GET_ROLE), {});
    client.close();
    return ext;
  }

  /** How long it took. Units: ms. */
  async switchRoles(): Promise<number> {
    const program = path.join(checkoutFolder(), 'bin', 'ringmq');
    const { stdout } = await run(process.execPath, [program, 'switch', 'broker-a', '-n', this.nameServer, '--json']);
    return (JSON.parse(stdout) as { tookMs: number }).tookMs;
  }

  /** `queueId queueOffset` of every message, by its body. */
  async stored(): Promise<Map<string, string[]>> {
    const roles = await Promise.all(this.#servers.slice(1).map(broker => this.#roleOf(broker)));
    const master = this.#servers[1 + roles.findIndex(({ brokerRole }) => brokerRole !== 'SLAVE')]!;
    const client = await RawClient.connect(master.address);
    const places = new Map<string, string[]>();
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      await pullQueue(
        client,
        TOPIC,
        queueId,
        record => {
          const body = Buffer.from(record.body).toString();
          places.set(body, [...(places.get(body) ?? []), `${queueId} ${record.queueOffset}`]);
        },
        { patienceMs: 0 },
      );
    }
    client.close();
    return places;
  }

  async end(): Promise<void> {
    for (const server of this.#servers.reverse()) await server.stop();
    removeFolder(this.folder);
  }
}

async function judge(version: string, mode: string): Promise<void> {
  const cluster = new Cluster();
  let application: Application | undefined;
  try {
    const classPath = compile(version, cluster.folder);
    await cluster.start();
    application = new Application(classPath, cluster.folder, cluster.nameServer, mode);
    await application.sendsOn();
    const tookMs: number[] = [];
    for (let count = 0; count < SWITCHES; count++) {
      tookMs.push(await cluster.switchRoles());
      await application.sendsOn();
    }
    await application.end();
    const { accepted, errors, slowestMs } = application;
    const stored = await cluster.stored();
    const copies = [...stored.values()].filter(places => places.length > 1).length;
    const numbers = `${accepted.length} sent, ${errors.length} errors, ${copies} stored twice, slowest ${slowestMs} ms`;
    console.log(`Java ${version} ${mode}: switches took ${tookMs.join(', ')} ms; ${numbers}`);
    assert.equal(errors.slice(0, 5), []);
    const wrong = accepted.filter(line => {
      const [, body, status, queueId, queueOffset] = line.split(' ');
      return status !== 'SEND_OK' || !stored.get(body!)?.includes(`${queueId} ${queueOffset}`);
    });
    assert.equal(wrong.slice(0, 5), [], 'what was acknowledged is at its place');
  } finally {
    application?.kill();
    await cluster.end();
  }
}

const reason = reasonToSkip();
const { RINGMQ_JAVA_CLIENT: only } = process.env;
for (const version of only === undefined ? ['3.2.6', '4.9.7', '5.3.3'] : [only]) {
  for (const mode of ['sync', 'async']) {
    switching(`Java ${version}, ${mode}`, () => (reason === '' ? judge(version, mode) : skip(reason)));
  }
}

switching.run();
