/**
 * Bottlenecks made for real in a running broker: a disk that syncs or writes slowly or not at all, one sender that
 * waits for each answer, more senders than a thread can serve, bursts, old messages. `ringmq doctor` has to name each.
 */
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bottleneck } from '../../actors/bottleneck.js';
import { type BrokerReport, readReport } from '../../actors/node/broker-report.js';
import { type Diagnosis, diagnose } from '../../actors/node/doctor.js';
import type { RawClient } from '../support/raw-client.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import { type TestWorld, withNode } from '../support/test-node.js';

const bottleneck = suite('bottlenecks');

/** The doctor looks for so long. Units: ms. */
const LOOK_MS = 500;
/** One look may fall into a moment in which the machine did something else. */
const LOOKS_MAX = 3;
const message = { topic: 'T', queueId: 0, body: Buffer.alloc(100) };

interface Injection {
  readonly set?: Readonly<Record<string, string>>;
  /** Makes the bottleneck, and load until it is told to stop. */
  readonly inject: (world: TestWorld, client: RawClient, signal: AbortSignal) => Promise<void>;
}

async function examine(named: Bottleneck, { set = {}, inject }: Injection): Promise<void> {
  await withNode({ set }, async world => {
    const client = await world.connect();
    await createTopic(client, 'T', 1);
    await client.send(message);
    const stop = new AbortController();
    const injected = inject(world, client, stop.signal);
    try {
      const said: Diagnosis[] = [];
      while (said.at(-1)?.bottleneck !== named) {
        assert.ok(said.length < LOOKS_MAX, JSON.stringify(said));
        const before = reportOf(world);
        await setTimeout(LOOK_MS);
        said.push(diagnose(before, reportOf(world)));
      }
    } finally {
      stop.abort();
      world.repair();
      await injected;
    }
  });
}

function reportOf(world: TestWorld): BrokerReport {
  return readReport(world.node.shop, world.nodeOptions().broker!.config, Date.now());
}

/** So many senders, each waiting for its answer. */
async function sendWhile(client: RawClient, senders: number, signal: AbortSignal): Promise<void> {
  const send = async (): Promise<void> => {
    while (!signal.aborted) await client.send(message);
  };
  await Promise.all(Array.from({ length: senders }, send));
}

const injections: readonly [string, Bottleneck, Injection][] = [
  [
    'a disk that syncs slowly',
    'diskFlush',
    {
      inject: (world, client, signal) => {
        world.disk.faults.syncDelayMs = 20;
        return sendWhile(client, 64, signal);
      },
    },
  ],
  [
    'a disk that does not sync',
    'diskFlush',
    {
      inject: (world, client, signal) => {
        world.disk.faults.holdSyncs = true;
        return sendWhile(client, 64, signal);
      },
    },
  ],
  [
    'a page cache that holds writes up',
    'pageCache',
    {
      inject: (world, client, signal) => {
        world.disk.faults.fail = (call, path) => {
          if (call === 'write' && path.includes('commitlog')) block(10);
          return undefined;
        };
        return sendWhile(client, 64, signal);
      },
    },
  ],
  [
    'one sender that waits for each answer',
    'clientInFlight',
    {
      inject: async (world, client, signal) => {
        world.disk.faults.syncDelayMs = 5;
        await sendWhile(client, 1, signal);
      },
    },
  ],
  [
    'more than the thread can do',
    'lanes',
    {
      set: { flushDiskType: 'ASYNC_FLUSH', waitTimeMillsInSendQueue: '60000' },
      inject: (_, client, signal) => sendWhile(client, 256, signal),
    },
  ],
  [
    'bursts larger than the permits',
    'permits',
    {
      set: { flushDiskType: 'ASYNC_FLUSH', maxInflight: '4' },
      inject: async (_, client, signal) => {
        while (!signal.aborted) {
          await Promise.all(Array.from({ length: 16 }, () => client.send(message)));
          await setTimeout(20);
        }
      },
    },
  ],
  [
    'consumers that read what is far behind',
    'pageCache',
    {
      set: { accessMessageInMemoryMaxRatio: '0' },
      inject: async (world, _, signal) => {
        const reader = await world.connect();
        while (!signal.aborted) {
          await pullQueue(reader, 'T', 0, () => {}, { untilOffset: 1, patienceMs: 10_000 });
          await setTimeout(5);
        }
      },
    },
  ],
  ['nobody', 'nothing', { inject: async () => {} }],
];

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

for (const [name, named, injection] of injections) bottleneck(name, () => examine(named, injection));

bottleneck.run();
