/**
 * The actors of one thread, made there, and what the node may ask of them. The main thread has one of these too, so
 * every mode runs the same code. Cold but for the loops it starts.
 */
import {
  type BrokerConfig,
  brokerSchema,
  configFrom,
  type Inputs,
  type NamesrvConfig,
  namesrvSchema,
} from '../../config/index.js';
import type { Actor, CrashListener } from '../../runtime/actor/contract.js';
import { EventLoopRunner } from '../../runtime/actor/duty-cycle.js';
import { assert } from '../../runtime/base/assert.js';
import { systemClock } from '../../runtime/base/clock.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Disk } from '../../storage/disk.js';
import { CommitLogWriter } from '../commit-log-writer/actor.js';
import { ClientTable } from '../coordinator/client-table.js';
import type { Registrar } from '../coordinator/registrar.js';
import type { Forwarder } from '../forwarder/actor.js';
import type { HaReceiver } from '../ha-receiver/actor.js';
import type { HaSender } from '../ha-sender/actor.js';
import { PullLane } from '../pull-lane/actor.js';
import { QueueNumbers } from '../queue-numbers.js';
import type { Remoting } from '../remoting/actor.js';
import { FrontDoor } from '../remoting/front-door.js';
import type { ListenerSpec } from '../remoting/listeners.js';
import { Scheduler } from '../scheduler/actor.js';
import type { Telemetry } from '../telemetry/actor.js';
import { TransactionChecker } from '../transaction-checker/actor.js';
import {
  type BuildTools,
  buildActor,
  buildForwarder,
  buildHaReceiver,
  buildHaSender,
  buildRemoting,
  buildTelemetry,
} from './build-actor.js';
import type { BrokerSettings, RemotingSettings } from './build-settings.js';
import { CoordinatorRoom } from './coordinator-room.js';
import { type NodeMemory, threadCounters, Workshop } from './memory.js';
import { buildNameRegistry } from './name-registry-room.js';
import type { RoleRequest } from './role-desk.js';
import { type ThreadGauge, watchThread } from './thread-gauge.js';
import type { ActorInstance } from './wiring.js';

/** What a thread needs to make its actors. Plain data. */
export interface RoomsData {
  readonly thread: string;
  readonly memory: NodeMemory;
  readonly actors: readonly ActorInstance[];
  readonly mayBlock: boolean;
  readonly remoting: RemotingSettings;
  readonly broker?: {
    readonly inputs: Inputs;
    readonly settings: BrokerSettings;
    readonly queueNumbers: readonly [string, Int32Array][];
    readonly advertisedAddress: string;
    readonly configFile?: string;
  };
  readonly namesrv?: { readonly inputs: Inputs };
}

/** What outlives the rooms of a thread when a broker changes its role. */
export interface Heirlooms {
  readonly door: FrontDoor;
  /** The door's connections are known to the coordinator. */
  readonly clients: ClientTable;
  readonly registrar: Registrar | undefined;
}

/** What the node asks of the rooms of a thread; tens of calls in the life of a node. */
export interface RoomsControl {
  /** The ports it got. Errors: RingError LISTEN_FAILED. */
  listen(specs: readonly ListenerSpec[]): Promise<number[]>;
  /** Takes requests from now on, those that waited first. */
  letIn(): void;
  /** No new connections. */
  stopListening(): void;
  /** Sends wait in their connections from now on, or are taken again. */
  holdSends(wanted: boolean): void;
  /** Sends that were taken and not answered yet. */
  sendsInFlight(): number;
  /** No request is taken any more. */
  shutDoor(): void;
  /** Pulls that wait are answered, and none waits from now on. */
  releasePulls(): void;
  /** What was not passed on is given back; how many requests are still on their way. */
  restForwarder(): number;
  /** The connections wait for the next rooms. */
  leaveDoor(): void;
  /** Registers no more; the name servers keep what they know. */
  restRegistrar(): void;
  /** Sends accepted and not answered yet, delayed messages that are being delivered, a run over half messages. */
  inflight(): number;
  /** The half messages of this thread's checker are left alone from now on, or again looked after. */
  restChecker(wanted: boolean): void;
  /** The change of role that an administrator asked for since the last call. */
  takeRoleRequest(): RoleRequest | undefined;
  /** The change of role asked for last was refused. */
  refuseRole(reason: string): void;
  /** What the configuration is made from now, with all changes made at run time. */
  brokerInputs(): Inputs;
  /** Ends every connection. */
  disconnect(): void;
  /** Takes slaves from now on; the port it got. Errors: RingError LISTEN_FAILED. */
  listenForSlaves(host: string, port: number): Promise<number>;
  /** Follows the master from now on. */
  startReplica(): void;
  /** Takes nothing more from the master. */
  stopReplica(): void;
  /** Registers with the name servers from now on. */
  register(): void;
  /** Farewell to the name servers. */
  unregister(): Promise<void>;
  /** The configuration as it is now. */
  brokerConfig(): BrokerConfig;
  /** Passes over the log's files that an administrator asked for since the last call. */
  takeManualPasses(): number;
  /** Sends what there is of spans, and makes no more; waits so long for their collector. */
  finishSpans(patienceMs: number): Promise<void>;
  /** Tells lanes again of all topics and groups: one of them has lost what it knew. */
  announce(): void;
  /** All queues with their numbers, also those made since the start. */
  queueNumbers(): [string, Int32Array][];
  /** Where the last write to the log began; -1 when there was none. Units: bytes. */
  lastWriteOffset(): number;
  /** Deletes the log's segments that end at or before a position. */
  retire(position: number): void;
  /** Ends the actors; the thread's loop is over then. */
  stop(): void;
}

export class ThreadRooms implements RoomsControl {
  readonly shop: Workshop;
  readonly #data: RoomsData;
  readonly #disk: Disk;
  readonly #log: Logger;
  #remoting: Remoting | undefined;
  #door: FrontDoor | undefined;
  #clients: ClientTable | undefined;
  #formerRegistrar: Registrar | undefined;
  #forwarder: Forwarder | undefined;
  #coordinator: CoordinatorRoom | undefined;
  #haSender: HaSender | undefined;
  #haReceiver: HaReceiver | undefined;
  #telemetry: Telemetry | undefined;
  readonly actors: Actor[] = [];
  #runner: EventLoopRunner | undefined;
  #gauge: ThreadGauge | undefined;
  stopped = false;
  /** Called when {@link stop} was. */
  onStopped: () => void = () => {};

  /** `shop`: the one of this thread, when it has one already. */
  constructor(
    data: RoomsData,
    disk: Disk,
    log: Logger,
    shop = new Workshop(data.memory),
    heirlooms: Heirlooms | undefined = undefined,
  ) {
    this.#door = heirlooms?.door;
    this.#clients = heirlooms?.clients;
    this.#formerRegistrar = heirlooms?.registrar;
    this.#data = data;
    this.#disk = disk;
    this.#log = log;
    this.shop = shop;
    for (const actor of data.actors) this.actors.push(this.#build(actor));
    this.#coordinator?.announce();
  }

  /** Runs the actors on this thread's event loop. */
  runOnEventLoop(onCrash: CrashListener): void {
    const runner = new EventLoopRunner(systemClock, onCrash);
    this.#runner = runner;
    for (const actor of this.actors) runner.add(actor, this.shop.counters(actor.name));
    this.#gauge = watchThread(this.shop.counters(threadCounters(this.#data.thread)));
    for (const actor of [this.#remoting, this.#haSender, this.#haReceiver, this.#forwarder]) {
      if (actor !== undefined) actor.onWork = runner.schedule;
    }
    runner.listenTo(this.shop.threadBell(this.#data.thread));
    runner.schedule();
  }

  /** Makes a crashed actor anew; its rings are as it left them. */
  rebuild(name: string): void {
    const instance = this.#data.actors.find(actor => actor.name === name);
    assert(instance !== undefined && this.#runner !== undefined, `${name} runs on this thread`);
    const actor = this.#build(instance);
    this.actors[this.actors.findIndex(known => known.name === name)] = actor;
    this.#runner.add(actor, this.shop.counters(name));
    this.#runner.schedule();
  }

  #build(actor: ActorInstance): Actor {
    switch (actor.kind) {
      case 'remoting':
        return this.#buildRemoting();
      case 'coordinator':
        return this.#buildCoordinator();
      case 'name-registry': {
        const loaded = configFrom<NamesrvConfig>(namesrvSchema, this.#data.namesrv!.inputs);
        return buildNameRegistry(this.shop, loaded, this.#disk, this.#log);
      }
      case 'ha-sender':
        this.#haSender = buildHaSender(this.#tools(), systemClock.monotonicMs);
        return this.#haSender;
      case 'ha-receiver':
        this.#haReceiver = buildHaReceiver(this.#tools(), systemClock.monotonicMs);
        return this.#haReceiver;
      case 'forwarder':
        this.#forwarder = buildForwarder(this.#tools(), systemClock.nowMs);
        return this.#forwarder;
      case 'telemetry':
        this.#telemetry = buildTelemetry(this.#tools());
        this.#telemetry.onWork = () => this.#runner?.schedule();
        return this.#telemetry;
      default:
        return buildActor(actor, this.#tools());
    }
  }

  #tools(): BuildTools {
    const { mayBlock, broker } = this.#data;
    return { shop: this.shop, settings: broker!.settings, disk: this.#disk, log: this.#log, mayBlock };
  }

  #buildRemoting(): Remoting {
    const { remoting, broker } = this.#data;
    const context = broker?.settings.context ?? { storeAddress: 0, storePort: 0, regionId: '', traceOn: false };
    this.#door ??= new FrontDoor(remoting);
    const { connections } = this.#door;
    this.#remoting = buildRemoting(this.shop, remoting, context, connections, this.#log, systemClock.nowMs);
    return this.#remoting;
  }

  #buildCoordinator(): Actor {
    const { inputs, settings, queueNumbers, advertisedAddress, configFile } = this.#data.broker!;
    this.#clients ??= new ClientTable();
    this.#coordinator = new CoordinatorRoom({
      loaded: configFrom<BrokerConfig>(brokerSchema, inputs),
      configFile,
      disk: this.#disk,
      paths: settings.paths,
      numbers: new QueueNumbers(queueNumbers),
      shop: this.shop,
      log: this.#log,
      advertisedAddress,
      listenPort: settings.context.storePort,
      waitsForSuccessor: settings.forwarding !== undefined,
      clients: this.#clients,
      formerRegistrar: this.#formerRegistrar,
    });
    return this.#coordinator.coordinator;
  }

  // ---- control ----

  listen(specs: readonly ListenerSpec[]): Promise<number[]> {
    assert(this.#door !== undefined, 'remoting runs here');
    return this.#door.open(specs);
  }

  letIn(): void {
    assert(this.#door !== undefined && this.#remoting !== undefined, 'remoting runs here');
    this.#door.letIn(this.#remoting);
  }

  stopListening(): void {
    this.#door?.stopListening();
  }

  holdSends(wanted: boolean): void {
    this.#remoting?.holdSends(wanted);
    this.#runner?.schedule();
  }

  sendsInFlight(): number {
    this.#runner?.schedule();
    return this.#remoting?.inflight ?? 0;
  }

  shutDoor(): void {
    this.#door?.shut();
  }

  releasePulls(): void {
    for (const actor of this.actors) if (actor instanceof PullLane) actor.releasePulls();
    this.#runner?.schedule();
  }

  restForwarder(): number {
    this.#forwarder?.rest();
    this.#runner?.schedule();
    return this.#forwarder?.unsettled ?? 0;
  }

  leaveDoor(): void {
    this.#door?.leave();
  }

  restRegistrar(): void {
    this.#formerRegistrar = this.#coordinator?.restRegistrar();
  }

  /** Undefined where connections and those who know them are on different threads. */
  get heirlooms(): Heirlooms | undefined {
    if (this.#door === undefined || this.#clients === undefined) return undefined;
    return { door: this.#door, clients: this.#clients, registrar: this.#formerRegistrar };
  }

  inflight(): number {
    this.#runner?.schedule();
    let inflight = this.#remoting?.inflight ?? 0;
    for (const actor of this.actors) {
      if (actor instanceof Scheduler) inflight += actor.inFlight;
      if (actor instanceof TransactionChecker && actor.isBusy) inflight++;
    }
    return inflight;
  }

  restChecker(wanted: boolean): void {
    for (const actor of this.actors) if (actor instanceof TransactionChecker) actor.rest(wanted);
    this.#runner?.schedule();
  }

  takeRoleRequest(): RoleRequest | undefined {
    return this.#coordinator?.roleDesk.take();
  }

  refuseRole(reason: string): void {
    this.#coordinator?.roleDesk.refuse(reason);
  }

  brokerInputs(): Inputs {
    assert(this.#coordinator !== undefined, 'the coordinator runs here');
    return this.#coordinator.inputs;
  }

  disconnect(): void {
    this.#door?.close();
  }

  listenForSlaves(host: string, port: number): Promise<number> {
    assert(this.#haSender !== undefined, 'the HA sender runs here');
    return this.#haSender.listen(host, port);
  }

  startReplica(): void {
    this.#haReceiver?.start();
  }

  stopReplica(): void {
    this.#haReceiver?.shutDown();
  }

  register(): void {
    this.#coordinator?.openRegistrar();
  }

  async unregister(): Promise<void> {
    await this.#coordinator?.unregister();
  }

  brokerConfig(): BrokerConfig {
    assert(this.#coordinator !== undefined, 'the coordinator runs here');
    return this.#coordinator.config;
  }

  takeManualPasses(): number {
    return this.#coordinator?.takeManualPasses() ?? 0;
  }

  async finishSpans(patienceMs: number): Promise<void> {
    await this.#telemetry?.finish(patienceMs);
  }

  announce(): void {
    this.#coordinator?.announce();
    this.#runner?.schedule();
  }

  queueNumbers(): [string, Int32Array][] {
    assert(this.#coordinator !== undefined, 'the coordinator runs here');
    return this.#coordinator.queueNumbers;
  }

  lastWriteOffset(): number {
    return this.actors.find(actor => actor instanceof CommitLogWriter)?.lastWriteOffset ?? -1;
  }

  retire(position: number): void {
    for (const actor of this.actors) if (actor instanceof CommitLogWriter) actor.retire(position);
  }

  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    // A node that did not come up may listen already.
    if (this.#remoting?.hasLeft !== true) this.#door?.close();
    if (this.#runner !== undefined) this.#runner.close();
    else for (const actor of this.actors.toReversed()) actor.close();
    this.#coordinator?.close();
    this.#gauge?.close();
    this.onStopped();
  }
}
