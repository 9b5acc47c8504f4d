/**
 * Lanes come and go under load: numbers of send and pull lanes change again and again, by the request that
 * `mqadmin updateBrokerConfig` makes, while senders keep many sends on their way each and consumers wait for them.
 *
 *   node dist/tests/chaos/resize.js --resizes 100 --seed 1
 *
 * Each sender has a queue of its own, so what it sent must stand there in its order, once, without a gap. An answer
 * that nobody waits for (a second one) makes the client throw, which ends the rig.
 */
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Prng } from '../../runtime/base/prng.js';
import type { RawClient } from '../support/raw-client.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import { runAsProgram, wholeNumber } from '../support/rig-arguments.js';
import { type TestWorld, withNode } from '../support/test-node.js';
import { until } from '../support/until.js';

export interface ResizeOptions {
  readonly resizes: number;
  readonly seed: number;
  readonly senders?: number;
  /** Sends on their way, of each sender. */
  readonly window?: number;
  readonly lanesMax?: number;
  readonly log: (line: string) => void;
}

export interface ResizeResult {
  readonly resizes: number;
  readonly sent: number;
  readonly pulled: number;
  /** Sends answered with another code than 0, or not at all. */
  readonly refused: number;
  readonly faults: readonly string[];
}

const UPDATE_BROKER_CONFIG = 25;
const topic = 'Resized';
/** Longest that a lane may take to come or go. Units: ms. */
const SETTLE_MAX_MS = 20_000;
/** Load between two changes. Units: ms. */
const BETWEEN_MS = 20;
const LARGE_EVERY = 8;
/** Units: bytes. */
const LARGE_SIZE = 4_000;

export async function runResize(options: ResizeOptions): Promise<ResizeResult> {
  const { lanesMax = 4, senders = 8 } = options;
  let result: ResizeResult | undefined;
  const set = {
    threadingMode: 'dedicated',
    flushDiskType: 'ASYNC_FLUSH',
    lanesMax: String(lanesMax),
    sendMessageThreadPoolNums: '1',
    pullMessageThreadPoolNums: '1',
    // A busy machine is not what this is about.
    waitTimeMillsInSendQueue: '60000',
    waitTimeMillsInPullQueue: '60000',
    mappedFileSizeCommitLog: '16777216',
    ringCapacityBytes: '1048576',
  };
  await withNode({ real: true, set }, async world => {
    const admin = await world.connect();
    await createTopic(admin, topic, senders);
    result = await resizeUnderLoad(world, admin, { ...options, lanesMax, senders });
  });
  return result!;
}

interface Sender {
  /** By queue offset: which send of this sender it was. */
  readonly placed: number[];
  sent: number;
  refused: number;
}

async function resizeUnderLoad(
  world: TestWorld,
  admin: RawClient,
  options: Required<Omit<ResizeOptions, 'window'>> & Pick<ResizeOptions, 'window'>,
): Promise<ResizeResult> {
  const { resizes, seed, senders: count, lanesMax, log } = options;
  const faults: string[] = [];
  const stop = { asked: false, answered: false };
  const senders: Sender[] = Array.from({ length: count }, () => ({ placed: [], sent: 0, refused: 0 }));
  const sending = senders.map(async (sender, queueId) =>
    send(await world.connect(), sender, queueId, options.window ?? 16, stop),
  );
  const bodies: string[][] = senders.map(() => []);
  const pulling = bodies.map(async (queue, queueId) => consume(await world.connect(), queue, queueId, senders, stop));
  const random = new Prng(seed);
  for (let index = 0; index < resizes; index++) {
    const before = senders.reduce((sum, { sent }) => sum + sent, 0);
    await resize(world, admin, 1 + random.below(lanesMax), 1 + random.below(lanesMax));
    await until(() => senders.reduce((sum, { sent }) => sum + sent, 0) > before, 'sends go on', SETTLE_MAX_MS);
    await setTimeout(BETWEEN_MS);
    if ((index + 1) % 20 === 0) log(`${index + 1} resizes, ${senders.reduce((sum, { sent }) => sum + sent, 0)} sends`);
  }
  stop.asked = true;
  await Promise.all(sending);
  stop.answered = true;
  await Promise.all(pulling);
  for (const [queueId, sender] of senders.entries()) faults.push(...judge(sender, bodies[queueId]!, queueId));
  faults.push(...world.failures);
  return {
    resizes,
    sent: senders.reduce((sum, { sent }) => sum + sent, 0),
    pulled: bodies.reduce((sum, queue) => sum + queue.length, 0),
    refused: senders.reduce((sum, { refused }) => sum + refused, 0),
    faults,
  };
}

async function resize(world: TestWorld, admin: RawClient, sendLanes: number, pullLanes: number): Promise<void> {
  const text = `sendMessageThreadPoolNums=${sendLanes}\npullMessageThreadPoolNums=${pullLanes}\n`;
  const answer = await admin.request(UPDATE_BROKER_CONFIG, {}, Buffer.from(text));
  if (answer.code !== 0) throw new Error(`the broker refused ${text}: ${answer.code} ${answer.remark}`);
  const { laneCounts } = world.node.shop;
  const isDone = (): boolean =>
    laneCounts.active('send-lane') === sendLanes && laneCounts.active('pull-lane') === pullLanes;
  await until(isDone, `${sendLanes} send lanes and ${pullLanes} pull lanes`, SETTLE_MAX_MS);
}

/** The number of a send; one in eight is so large that small ones behind it, on another lane, would overtake it. */
function bodyOf(number: number): Buffer {
  const text = String(number);
  return Buffer.from(number % LARGE_EVERY === 0 ? text.padEnd(LARGE_SIZE, ' ') : text);
}

function numberIn(body: Uint8Array): string {
  return Buffer.from(body).toString().trimEnd();
}

/** Keeps `window` sends on their way until it is told to stop; resolves when all are answered. */
function send(
  client: RawClient,
  sender: Sender,
  queueId: number,
  window: number,
  stop: { readonly asked: boolean },
): Promise<void> {
  return new Promise(resolve => {
    let inFlight = 0;
    const next = (): void => {
      while (!stop.asked && inFlight < window) {
        const number = sender.sent++;
        inFlight++;
        client.sendPipelined({ topic, queueId, body: bodyOf(number) }, answer => {
          inFlight--;
          if (answer?.code === 0) sender.placed[answer.queueOffset] = number;
          else sender.refused++;
          next();
        });
      }
      if (stop.asked && inFlight === 0) resolve();
    };
    next();
  });
}

/** Reads a queue from its start, waiting for what comes, until all that was sent there is read. */
async function consume(
  client: RawClient,
  bodies: string[],
  queueId: number,
  senders: readonly Sender[],
  stop: { readonly answered: boolean },
): Promise<void> {
  const sender = senders[queueId]!;
  const read = (untilOffset: number, patienceMs: number): Promise<unknown> =>
    pullQueue(client, topic, queueId, record => bodies.push(numberIn(record.body)), {
      fromOffset: bodies.length,
      untilOffset,
      patienceMs,
    });
  while (!stop.answered) await read(bodies.length + 64, BETWEEN_MS);
  // What was on its way when the senders were told to stop has its offset by now; what is missing still is a fault.
  await read(sender.placed.length, SETTLE_MAX_MS);
}

function judge(sender: Sender, bodies: readonly string[], queueId: number): string[] {
  const faults: string[] = [];
  const who = `queue ${queueId}`;
  if (sender.refused > 0) faults.push(`${who}: ${sender.refused} sends were refused or not answered`);
  if (sender.placed.length !== sender.sent) {
    faults.push(`${who}: ${sender.sent} sends, and the last one stands at ${sender.placed.length - 1}`);
  }
  for (let offset = 0; offset < sender.placed.length; offset++) {
    if (sender.placed[offset] === offset) continue;
    faults.push(`${who}: offset ${offset} was given to send ${sender.placed[offset]}`);
    break;
  }
  const wrong = bodies.findIndex((body, offset) => body !== String(offset));
  if (wrong >= 0) faults.push(`${who}: offset ${wrong} holds ${bodies[wrong]}`);
  if (bodies.length !== sender.sent) faults.push(`${who}: ${bodies.length} of ${sender.sent} messages were read`);
  return faults;
}

export function formatResize({ resizes, sent, pulled, refused, faults }: ResizeResult): string {
  const numbers = `${resizes} resizes, ${sent} sends, ${pulled} pulled, ${refused} refused, ${faults.length} faults`;
  return [numbers, ...faults].join('\n');
}

const usage = `usage: resize [options]
  --resizes 100, --seed 1, --senders 8, --window 16, --lanesMax 4`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      resizes: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      senders: { type: 'string', default: '8' },
      window: { type: 'string', default: '16' },
      lanesMax: { type: 'string', default: '4' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const result = await runResize({
    resizes: wholeNumber(values, 'resizes', 1),
    seed: wholeNumber(values, 'seed', 0),
    senders: wholeNumber(values, 'senders', 1),
    window: wholeNumber(values, 'window', 1),
    lanesMax: wholeNumber(values, 'lanesMax', 1),
    log: line => console.log(line),
  });
  console.log(formatResize(result));
  if (result.faults.length > 0) process.exitCode = 1;
}

runAsProgram(import.meta.filename, main);
