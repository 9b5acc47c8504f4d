/**
 * The rooms of a message's way on one thread, without sockets: what comes from remoting is put in its rings here, and
 * what goes to it is taken from them. Real files in a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GroupEntry } from '../../../actors/group-snapshot.js';
import { InboundFrame, InboundType } from '../../../actors/inbound.js';
import { buildActor } from '../../../actors/node/build-actor.js';
import { brokerSettings } from '../../../actors/node/build-settings.js';
import { loadBrokerConfig } from '../../../actors/node/index.js';
import { allocateMemory, Workshop } from '../../../actors/node/memory.js';
import { planThreads } from '../../../actors/node/thread-plan.js';
import { type ActorInstance, type ActorKind, planActors, planRings } from '../../../actors/node/wiring.js';
import { formatTopicEntry, NewsType } from '../../../actors/topic-news.js';
import { createRequest, type ExtFields, encodeCommand } from '../../../protocol/command.js';
import type { Actor } from '../../../runtime/actor/contract.js';
import { assert } from '../../../runtime/base/assert.js';
import { silentLogger } from '../../../runtime/log/contract.js';
import { nodeDisk } from '../../../storage/disk.js';
import { storePaths } from '../../../storage/paths.js';

export const topic = 'Bench';
export const queues = 8;
const group: GroupEntry = {
  name: 'bench',
  consumeEnable: true,
  consumeBroadcastEnable: true,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
};

const encoder = new TextEncoder();
const connectionId = 1;

export class FlowRooms {
  readonly shop: Workshop;
  readonly #folder = mkdtempSync(join(tmpdir(), 'ringmq-'));
  readonly #actors: readonly ActorInstance[];
  readonly #build: (actor: ActorInstance) => Actor;
  readonly #open: Actor[] = [];

  constructor() {
    const { config } = loadBrokerConfig({
      set: {
        storePathRootDir: this.#folder,
        flushDiskType: 'ASYNC_FLUSH',
        // Prepared frames are older than any patience.
        brokerFastFailureEnable: 'false',
      },
    });
    const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    for (const folder of [paths.commitLog, paths.consumeQueue, paths.config]) nodeDisk.makeFolder(folder);
    this.#actors = planActors({ broker: true, nameRegistry: false, sendLanes: 1, pullLanes: 1 });
    const plan = planThreads(this.#actors, 'inline', 'a benchmark');
    this.shop = new Workshop(allocateMemory(this.#actors, planRings(this.#actors), plan, config.ringCapacityBytes));
    const settings = brokerSettings(config, paths, new Float64Array(0), '127.0.0.1');
    const tools = { shop: this.shop, settings, disk: nodeDisk, log: silentLogger, mayBlock: true };
    this.#build = actor => buildActor(actor, tools);
  }

  /** Makes the room of a kind; it knows the topic, and a pull lane the group. */
  open(kind: ActorKind): Actor {
    const instance = this.#actors.find(actor => actor.kind === kind);
    assert(instance !== undefined, `${kind} is in the wiring`);
    const { name } = instance;
    const actor = this.#build(instance);
    this.#open.push(actor);
    if (!this.shop.hasRing('coordinator', name)) return actor;
    const news = this.shop.ring('coordinator', name);
    const queueNumbers = Int32Array.from({ length: queues }, (_, queueId) => queueId);
    const entry = { name: topic, perm: 6, readQueueNums: queues, writeQueueNums: queues, order: false, queueNumbers };
    news.offer(NewsType.TOPIC, encoder.encode(formatTopicEntry(entry)));
    if (kind === 'pull-lane') news.offer(NewsType.GROUP, encoder.encode(JSON.stringify(group)));
    return actor;
  }

  /** Ends the rooms and removes the files. */
  close(): void {
    for (const actor of this.#open.toReversed()) actor.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A request as remoting puts it in a room's ring. */
export function inboundRecord(code: number, fields: ExtFields, body: Uint8Array | null = null): Uint8Array {
  const frame = encodeCommand(createRequest(code, fields, body));
  const record = new Uint8Array(InboundFrame.frameBytes + frame.length);
  const words = new Int32Array(record.buffer, 0, InboundFrame.frameBytes >> 2);
  words[InboundFrame.connectionId] = connectionId;
  words[InboundFrame.code] = code;
  words[InboundFrame.arrivedMs] = Date.now() | 0;
  words[InboundFrame.peerAddress] = 0x7f000001;
  words[InboundFrame.peerPort] = 40_000;
  words[InboundFrame.frameSize] = frame.length;
  record.set(frame, InboundFrame.frameBytes);
  return record;
}

export const inboundFrameType = InboundType.FRAME;
