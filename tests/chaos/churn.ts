/**
 * Members of a group join and leave at random, in good order or by kill -9, while producers send. In the end every
 * message is consumed, none more often than at-least-once allows, and with --order each queue in its order.
 *
 *   node dist/tests/chaos/churn.js --seconds 180 --members 20 --seed 1
 *   node dist/tests/chaos/churn.js --seconds 180 --members 20 --seed 1 --order
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Producer } from '../../client/index.js';
import { Prng } from '../../runtime/base/prng.js';
import {
  type Consumption,
  type ConsumptionReport,
  formatConsumption,
  judgeConsumption,
  type SentMessage,
} from '../support/consumption-checker.js';
import { type Launchers, type ServerProcess, startBroker, startNameServer } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { awaitRoute, committedOffset, createTopic, queueBound } from '../support/raw-requests.js';
import {
  chooseLaunchers,
  inRigFolder,
  launcherOptions,
  launcherUsage,
  runAsProgram,
  wholeNumber,
} from '../support/rig-arguments.js';
import { ChurnMember, type MemberOptions, PULL_BATCH, PULL_THRESHOLD, readJournal } from './churn-member.js';

export interface ChurnOptions {
  readonly launchers: Launchers;
  /** How long members come and go. */
  readonly seconds: number;
  /** At most so many at a time. */
  readonly members: number;
  readonly queues: number;
  readonly producers: number;
  readonly order: boolean;
  /** Without: they leave in good order only. */
  readonly kills: boolean;
  readonly seed: number;
  readonly keep: boolean;
  readonly log: (line: string) => void;
}

export interface ChurnResult extends ConsumptionReport {
  readonly joins: number;
  readonly leaves: number;
  readonly kills: number;
  readonly folder?: string;
}

const topic = 'Churn';
const consumerGroup = 'churn-consumers';
/** The lock of a member that was killed holds its queues for a minute. Units: ms. */
const drainLimitMs = 150_000;
const listenerMaxMs = 3;
const memberFile = fileURLToPath(new URL('./churn-member.js', import.meta.url));

/** A life of a member: how it ends, in two ways. */
interface Life {
  readonly name: string;
  leave(): Promise<void>;
  /** undefined: it cannot be killed alone. */
  readonly kill: (() => Promise<void>) | undefined;
}

class Rig {
  readonly #options: ChurnOptions;
  readonly #folder: string;
  readonly #random: Prng;
  readonly #sent: SentMessage[] = [];
  readonly #journals: string[] = [];
  readonly #killedNs = new Map<string, bigint>();
  /** Places of members: who is there, or what happens there. */
  readonly #places: (Life | 'changing' | undefined)[];
  readonly #changes = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #nameServer = '';
  #lives = 0;
  #leaves = 0;
  #isOver = false;

  constructor(options: ChurnOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#random = new Prng(options.seed);
    this.#places = Array.from({ length: options.members }, () => undefined);
  }

  async run(): Promise<ChurnResult> {
    const { launchers } = this.#options;
    const nameServer = await startNameServer(launchers, this.#folder);
    let broker: ServerProcess | undefined;
    try {
      this.#nameServer = nameServer.address;
      broker = await startBroker(launchers, { nameServer: nameServer.address, folder: this.#folder });
      const client = await RawClient.connect(broker.address);
      await createTopic(client, topic, this.#options.queues);
      await awaitRoute(nameServer.address, topic);
      const producers = Array.from({ length: this.#options.producers }, (_, index) => this.#produce(index));
      await this.#churn();
      this.#isOver = true;
      await Promise.all(producers);
      await this.#drained(client);
      client.close();
      await this.#endAll();
      return this.#judge();
    } finally {
      this.#isOver = true;
      await this.#endAll();
      await broker?.kill();
      await nameServer.stop();
    }
  }

  /** Sends one after the other until all is over. Errors: of the client; nothing here gives it a reason. */
  async #produce(index: number): Promise<void> {
    const producer = new Producer({ namesrvAddr: this.#nameServer, producerGroup: `churn-producers-${index}` });
    await producer.start();
    for (let count = 0; !this.#isOver; count++) {
      const id = `${index}-${count}`;
      const { messageQueue, queueOffset } = await producer.send({ topic, body: id });
      this.#sent.push({ id, queueId: messageQueue.queueId, queueOffset });
      if (count % 8 === 0) await sleep(5); // about a thousand a second
    }
    await producer.shutdown();
  }

  async #churn(): Promise<void> {
    for (let place = 0; place < this.#places.length; place += 2) this.#begin(place, this.#join(place));
    const endMs = performance.now() + this.#options.seconds * 1000;
    while (performance.now() < endMs) {
      await sleep(this.#random.between(50, 12_000 / this.#options.members)); // the moment is the experiment
      const place = this.#random.below(this.#places.length);
      const life = this.#places[place];
      if (life === 'changing') continue;
      this.#begin(place, life === undefined ? this.#join(place) : this.#leave(place, life));
      this.#throwFailure();
    }
    await Promise.all(this.#changes);
    if (this.#places.every(life => life === undefined)) await this.#join(0);
    this.#throwFailure();
  }

  #begin(place: number, change: Promise<void>): void {
    const noted = change
      .catch(error => {
        this.#places[place] = undefined;
        this.#failures.push(error);
      })
      .finally(() => this.#changes.delete(noted));
    this.#changes.add(noted);
  }

  #throwFailure(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #join(place: number): Promise<void> {
    this.#places[place] = 'changing';
    const member = `member-${place}-${this.#lives++}`;
    const journal = path.join(this.#folder, `${member}.journal`);
    const { order } = this.#options;
    const namesrvAddr = this.#nameServer;
    const options = { namesrvAddr, consumerGroup, topic, order, member, journal, listenerMaxMs };
    const isProcess = !this.#random.oneIn(4);
    this.#journals.push(member);
    this.#places[place] = isProcess ? await startProcess(options, this.#killedNs) : await startHere(options);
  }

  async #leave(place: number, life: Life): Promise<void> {
    this.#places[place] = 'changing';
    const kill = this.#options.kills && this.#random.oneIn(2) ? life.kill : undefined;
    if (kill !== undefined) await kill();
    else await life.leave();
    this.#leaves++;
    const { size } = this.#killedNs;
    this.#options.log(
      `${life.name} ${kill === undefined ? 'left' : 'was killed'} (${this.#lives} joined, ${size} killed)`,
    );
    this.#places[place] = undefined;
  }

  /** The group has all there is. Errors: Error when that takes too long. */
  async #drained(client: RawClient): Promise<void> {
    const deadlineMs = performance.now() + drainLimitMs;
    for (let queueId = 0; queueId < this.#options.queues; ) {
      const end = await queueBound(client, topic, queueId, 'max');
      const reached = await committedOffset(client, consumerGroup, topic, queueId);
      if (reached >= end || (end === 0 && reached === -1)) {
        queueId++;
        continue;
      }
      if (performance.now() > deadlineMs) {
        this.#options.log(`queue ${queueId} is consumed up to ${reached} of ${end}`);
        return; // the judge says what is missing
      }
      await sleep(100); // asked again until the limit
    }
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.#changes);
    const lives = this.#places.filter(life => life !== undefined && life !== 'changing');
    this.#places.fill(undefined);
    await Promise.all(lives.map(life => (life as Life).leave()));
  }

  #judge(): ChurnResult {
    const consumptions: Consumption[] = [];
    for (const member of this.#journals) {
      for (const each of readJournal(path.join(this.#folder, `${member}.journal`), member)) consumptions.push(each);
    }
    const { order } = this.#options;
    const rules = { order, replayMax: PULL_THRESHOLD + PULL_BATCH, killedNs: this.#killedNs };
    const report = judgeConsumption(this.#sent, consumptions, rules);
    return { ...report, joins: this.#lives, leaves: this.#leaves, kills: this.#killedNs.size };
  }
}

async function startHere(options: MemberOptions): Promise<Life> {
  const member = new ChurnMember(options);
  await member.start();
  return { name: options.member, leave: () => member.leave(), kill: undefined };
}

/** A member as a process; for tests that kill one. Errors: Error when it does not start. */
export async function startProcess(options: MemberOptions, killedNs = new Map<string, bigint>()): Promise<Life> {
  const child = fork(memberFile, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  await Promise.race([once(child, 'message'), ended.then(([code]) => failStart(options.member, code))]);
  return {
    name: options.member,
    leave: async () => {
      if (child.connected) child.send('leave');
      await ended;
    },
    kill: () => killProcess(child, ended, () => killedNs.set(options.member, process.hrtime.bigint())),
  };
}

function failStart(member: string, code: unknown): never {
  throw new Error(`${member} ended with ${code} before it had started`);
}

async function killProcess(child: ChildProcess, ended: Promise<unknown>, onEnded: () => void): Promise<void> {
  child.kill('SIGKILL');
  await ended;
  onEnded();
}

/** Errors: Error when anything does not start or end; faults are in the result. */
export function runChurn(options: ChurnOptions): Promise<ChurnResult> {
  return inRigFolder(
    options.keep,
    folder => new Rig(options, folder).run(),
    result => result.faultCount > 0,
  );
}

export function formatChurn(result: ChurnResult): string {
  const { joins, leaves, kills, folder } = result;
  const lines = [`${joins} joined, ${leaves} left, ${kills} of them killed`, formatConsumption(result)];
  return [...lines, ...(folder ? [`kept: ${folder}`] : [])].join('\n');
}

const usage = `usage: churn [options] [broker]
  --seconds 180, --members 20, --queues 24, --producers 2, --seed 1
  --order                   the group consumes in order
  --no-kills                members leave in good order only
  --keep                    keep store and journals when something was wrong${launcherUsage}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...launcherOptions,
      seconds: { type: 'string', default: '180' },
      members: { type: 'string', default: '20' },
      queues: { type: 'string', default: '24' },
      producers: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      order: { type: 'boolean', default: false },
      'no-kills': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const result = await runChurn({
    launchers: chooseLaunchers(values),
    seconds: wholeNumber(values, 'seconds', 1),
    members: wholeNumber(values, 'members', 1),
    queues: wholeNumber(values, 'queues', 1),
    producers: wholeNumber(values, 'producers', 1),
    seed: wholeNumber(values, 'seed', 0),
    order: values.order,
    kills: !values['no-kills'],
    keep: values.keep,
    log: line => console.log(line),
  });
  console.log(formatChurn(result));
  if (result.faultCount > 0) process.exitCode = 1;
}

runAsProgram(import.meta.filename, main);
