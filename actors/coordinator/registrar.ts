/**
 * Keeps the broker registered with every name server, each on its own: one that is down, late or slow delays nobody.
 * Learns from their answers where the master is, and from their list of brokers whether another broker has the same
 * name and id. Cold. Source: spec remoting 9.2; BrokerOuterAPI, BrokerController.registerBrokerAll.
 */
import { Connection } from '../../client/connection.js';
import { encodeRegisterBrokerBody, registerBodyCrc32 } from '../../protocol/bodies/register-broker.js';
import { decodeClusterInfo, decodeKVTable } from '../../protocol/bodies/route.js';
import type { TopicConfigSerializeWrapper } from '../../protocol/bodies/topic.js';
import { REGISTRATION_VERSION, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createRequest } from '../../protocol/command.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { MasterPlace } from '../ha-receiver/mailbox.js';

export interface BrokerRegistration {
  readonly brokerName: string;
  readonly brokerClusterName: string;
  readonly brokerId: number;
  readonly listenPort: number;
  readonly haListenPort: number;
  /** Advertised to clients; '' for the local address of the connection to the name server. */
  readonly brokerIP1: string;
  readonly brokerIP2: string;
}

export interface RegistrarOptions {
  readonly registration: BrokerRegistration;
  readonly periodMs: number;
  readonly timeoutMs: number;
  /** The whole table. */
  readonly topics: () => TopicConfigSerializeWrapper;
  /** Told once the broker's address is known: from the first connection to a name server. */
  readonly onRegistered: (namesrvAddr: string, brokerAddr: string) => void;
  /** Where the master of this slave is; told after every answer of a name server. */
  readonly onMaster?: (place: MasterPlace) => void;
  /** Whose name and id this broker takes over: the first registration finds it there, and all is well. */
  readonly takesOver?: boolean;
  /** Which topics are ordered, when the name server has a list of them. */
  readonly onOrderedTopics: (topics: ReadonlySet<string>) => void;
  readonly log: Logger;
}

/** First wait after a failure, doubled up to the period. Units: ms. */
const RETRY_FIRST_MS = 50;
const CONNECT_TIMEOUT_MS = 3000;
const FAREWELL_MAX_MS = 1000;
/** How often a slave without a master asks for one. Units: ms. */
const SEEK_EVERY_MS = 500;
/** Two brokers of one name and id are told of once in so long. Units: ms. */
const RIVAL_EVERY_MS = 60_000;

export class Registrar {
  readonly #options: RegistrarOptions;
  #servers = new Map<string, NameServer>();
  /** What each name server said last, by its address. */
  readonly #places = new Map<string, MasterPlace>();
  #seeking = false;
  #stopped = false;

  constructor(options: RegistrarOptions, namesrvAddr: string) {
    this.#options = options;
    this.setNameServers(namesrvAddr);
  }

  /** A slave that has no master, or cannot reach it, asks every half second; else the period is enough. */
  seekMaster(wanted: boolean): void {
    if (wanted === this.#seeking) return;
    this.#seeking = wanted;
    for (const server of this.#servers.values()) server.seek(wanted);
  }

  /** A name server has taken this broker in. */
  get isRegistered(): boolean {
    return [...this.#servers.values()].some(server => server.isUp);
  }

  /** The first name server that knows a master is believed; spec ha 4. */
  readonly #onPlace = (address: string, place: MasterPlace): void => {
    this.#places.set(address, place);
    const known = [...this.#servers.keys()].map(server => this.#places.get(server));
    this.#options.onMaster?.(known.find(each => each !== undefined && each.haServerAddr !== '') ?? place);
  };

  /** `a:9876;b:9876`. Servers that are no longer named are left without a farewell, as by a restart. */
  setNameServers(namesrvAddr: string): void {
    const wanted = new Set(splitAddresses(namesrvAddr));
    for (const [address, server] of this.#servers) {
      if (wanted.has(address)) continue;
      server.drop();
      this.#servers.delete(address);
    }
    for (const address of wanted) {
      if (!this.#servers.has(address)) this.#add(address);
    }
    if (!this.#stopped) this.registerAll();
  }

  #add(address: string): void {
    const server = new NameServer(address, this.#options, this.#onPlace);
    this.#servers.set(address, server);
    if (this.#seeking) server.seek(true);
  }

  /** Registers the whole table with everybody, now. */
  registerAll(): void {
    for (const server of this.#servers.values()) server.register();
  }

  /**
   * Registers no more, but stays connected: a name server forgets a broker whose connection closes, and clients must
   * find this one until it is registered as what it is next.
   */
  rest(): void {
    for (const server of this.#servers.values()) server.rest();
  }

  /** Leaves a name server without a farewell. */
  leave(address: string): void {
    this.#servers.get(address)?.drop();
  }

  /** Leaves all. */
  leaveAll(): void {
    for (const server of this.#servers.values()) server.drop();
  }

  /** Says farewell to every name server that answers, within a second. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await Promise.all([...this.#servers.values()].map(server => server.unregister()));
  }
}

function splitAddresses(text: string): string[] {
  return text
    .split(';')
    .map(address => address.trim())
    .filter(address => address !== '');
}

/** One name server: a connection that is opened again whenever it closes. */
class NameServer {
  readonly #address: string;
  readonly #options: RegistrarOptions;
  #connection: Connection | undefined;
  #attempting: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #again = false;
  #retryMs = RETRY_FIRST_MS;
  #stopped = false;
  #isResting = false;
  #wasUp: boolean | undefined;
  readonly #onPlace: (address: string, place: MasterPlace) => void;
  #seeking = false;
  #rivalToldMs = Number.NEGATIVE_INFINITY;

  constructor(address: string, options: RegistrarOptions, onPlace: (address: string, place: MasterPlace) => void) {
    this.#address = address;
    this.#options = options;
    this.#onPlace = onPlace;
  }

  get isUp(): boolean {
    return this.#wasUp === true;
  }

  seek(wanted: boolean): void {
    this.#seeking = wanted;
    if (wanted && !this.#busy && !this.#stopped && this.#wasUp === true) this.#schedule(SEEK_EVERY_MS);
  }

  /** `full`: with the table of topics, of which a name server takes only a master's. */
  register(full = true): void {
    if (this.#stopped || this.#isResting) return;
    if (this.#busy) {
      this.#again ||= full;
      return;
    }
    this.#busy = true;
    clearTimeout(this.#timer);
    this.#attempting = this.#attempt(full);
    void this.#attempting.then(
      () => this.#onDone(this.#seeking ? SEEK_EVERY_MS : this.#options.periodMs),
      error => this.#onFailed(error),
    );
  }

  async #attempt(full: boolean): Promise<void> {
    const connection = await this.#connect();
    if (this.#stopped) throw new Error('the broker stops');
    const brokerAddr = this.#brokerAddr(connection);
    const { registration, topics, timeoutMs } = this.#options;
    // In front of the registration on the same connection, so that it is not answered with what this broker writes.
    // While there is no master roles may be changing, and two have the same id for a moment.
    const looks = full && !this.#seeking && (this.#wasUp === true || this.#options.takesOver !== true);
    if (looks) void this.#lookForRival(connection, brokerAddr).catch(() => {});
    const table = topics();
    const topicConfigSerializeWrapper = full ? table : { ...table, topicConfigTable: {} };
    const body = encodeRegisterBrokerBody({ filterServerList: [], topicConfigSerializeWrapper });
    const fields = {
      brokerName: registration.brokerName,
      brokerAddr,
      clusterName: registration.brokerClusterName,
      haServerAddr: `${registration.brokerIP2 || connection.localAddress}:${registration.haListenPort}`,
      brokerId: registration.brokerId,
      compressed: false,
      bodyCrc32: registerBodyCrc32(body),
    };
    const request = { ...createRequest(RequestCode.REGISTER_BROKER, fields, body), version: REGISTRATION_VERSION };
    const response = await connection.request(request, timeoutMs);
    if (response.code !== ResponseCode.SUCCESS) throw new Error(`code ${response.code}: ${response.remark ?? ''}`);
    if (this.#wasUp !== true) {
      this.#options.log.info({ namesrv: this.#address, brokerAddr }, 'registered with the name server');
      this.#options.onRegistered(this.#address, brokerAddr);
    }
    this.#wasUp = true;
    const { masterAddr = '', haServerAddr = '' } = response.extFields;
    this.#onPlace(this.#address, { masterAddr, haServerAddr });
    if (response.body !== null) {
      this.#options.onOrderedTopics(new Set(Object.keys(decodeKVTable(response.body).table)));
    }
  }

  /**
   * The newest registration of a name and id wins, so two brokers with the same take the place from each other for
   * ever: whoever finds the other there says so.
   */
  async #lookForRival(connection: Connection, brokerAddr: string): Promise<void> {
    const { registration, timeoutMs, log } = this.#options;
    const { brokerName, brokerId } = registration;
    const answer = await connection.request(createRequest(RequestCode.GET_BROKER_CLUSTER_INFO), timeoutMs);
    if (answer.code !== ResponseCode.SUCCESS || answer.body === null) return;
    const rival = decodeClusterInfo(answer.body).brokerAddrTable[brokerName]?.brokerAddrs[brokerId];
    const now = performance.now();
    if (rival === undefined || rival === brokerAddr || now - this.#rivalToldMs < RIVAL_EVERY_MS) return;
    this.#rivalToldMs = now;
    const message =
      `${rival} is registered as ${brokerName} with brokerId ${brokerId}, which this broker is too: clients reach only ` +
      'one of them. If both run, give one another brokerId, or another brokerName';
    log.error({ namesrv: this.#address, brokerName, brokerId, rival, brokerAddr }, message);
  }

  async #connect(): Promise<Connection> {
    if (this.#connection !== undefined && !this.#connection.closed) return this.#connection;
    const colon = this.#address.lastIndexOf(':');
    const host = this.#address.slice(0, colon);
    const port = Number(this.#address.slice(colon + 1));
    const connection = await Connection.open({
      host,
      port,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: 0,
      onClose: () => this.#onClosed(),
    });
    this.#connection = connection;
    // The node stopped while this was under way and waits no longer.
    if (this.#stopped) void connection.close();
    return connection;
  }

  #brokerAddr(connection: Connection): string {
    const { brokerIP1, listenPort } = this.#options.registration;
    return `${brokerIP1 || connection.localAddress}:${listenPort}`;
  }

  /** The name server forgets a broker whose connection closes: register again at once. */
  #onClosed(): void {
    this.#connection = undefined;
    if (!this.#stopped && !this.#busy) this.#schedule(this.#retryMs);
  }

  #onDone(nextMs: number): void {
    this.#busy = false;
    this.#retryMs = RETRY_FIRST_MS;
    if (this.#stopped) return;
    if (this.#again) {
      this.#again = false;
      this.register();
    } else {
      this.#schedule(nextMs);
    }
  }

  #onFailed(error: unknown): void {
    this.#busy = false;
    this.#again = false;
    if (this.#stopped) return;
    if (this.#wasUp !== false && this.#retryMs > 1000) {
      this.#options.log.warn(
        { namesrv: this.#address, reason: messageOf(error) },
        'cannot register with the name server',
      );
      this.#wasUp = false;
    }
    this.#schedule(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#options.periodMs, 5000);
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isResting) return;
    this.#timer = setTimeout(() => this.register(!this.#seeking || this.#wasUp !== true), afterMs);
  }

  rest(): void {
    this.#isResting = true;
    this.#again = false;
    clearTimeout(this.#timer);
  }

  drop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    void this.#connection?.close();
  }

  async unregister(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    // A registration under way may still arrive: the farewell must come after it.
    const patience = new Promise<void>(resolve => setTimeout(resolve, FAREWELL_MAX_MS).unref());
    await Promise.race([this.#attempting.catch(() => {}), patience]);
    const connection = this.#connection;
    if (connection === undefined || connection.closed) return;
    const { registration } = this.#options;
    const request = createRequest(RequestCode.UNREGISTER_BROKER, {
      brokerName: registration.brokerName,
      brokerAddr: this.#brokerAddr(connection),
      clusterName: registration.brokerClusterName,
      brokerId: registration.brokerId,
    });
    try {
      await connection.request(request, FAREWELL_MAX_MS);
    } catch (error) {
      this.#options.log.warn({ namesrv: this.#address, reason: messageOf(error) }, 'no farewell to the name server');
    }
    await connection.close();
  }
}
