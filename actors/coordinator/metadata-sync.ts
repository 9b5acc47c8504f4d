/**
 * A slave's copy of its master's topics, offsets and groups: everything at first and every ten seconds, and what
 * changed as soon as a master that is RingMQ's says so. Cold.
 * Source: spec ha 5; SlaveSynchronize.
 */
import { Connection } from '../../client/connection.js';
import {
  decodeBody,
  decodeSubscriptionGroupWrapper,
  decodeTopicConfigSerializeWrapper,
  equalDataVersions,
  integerOf,
  isFields,
} from '../../protocol/bodies.js';
import { BROKER_METADATA_CHANGED, RequestCode, ResponseCode, WATCH_BROKER_METADATA } from '../../protocol/codes.js';
import { createRequest, type RemotingCommand } from '../../protocol/command.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { announceGroup, type CoordinatorState, topicEntryOf } from './state.js';

export interface MetadataSyncOptions {
  readonly state: CoordinatorState;
  /** This broker's own address, which is never a master's. */
  readonly brokerAddr: string;
  /** Stores the progress of delayed messages as the master gave it: JSON text of config/delayOffset.json. */
  readonly saveDelayOffsets: (text: string) => void;
  readonly log: Logger;
}

/** Source: spec ha 5. */
const SYNC_EVERY_MS = 10_000;
const REQUEST_TIMEOUT_MS = 3000;
/** Wait before a lost master is dialled again. Units: ms. */
const RETRY_MS = 500;

export class MetadataSync {
  readonly #options: MetadataSyncOptions;
  #masterAddr = '';
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #again = false;
  #stopped = false;
  #wasWell: boolean | undefined;
  /** Offsets that were told of while the whole table was on its way. */
  readonly #meanwhile: Uint8Array[] = [];

  constructor(options: MetadataSyncOptions) {
    this.#options = options;
  }

  /** Where the master serves requests; '' while there is none, which ends the synchronisation. */
  setMaster(masterAddr: string): void {
    const address = masterAddr === this.#options.brokerAddr ? '' : masterAddr;
    if (address === this.#masterAddr) return;
    this.#masterAddr = address;
    void this.#connection?.close();
    this.#connection = undefined;
    clearTimeout(this.#timer);
    if (address !== '') this.sync();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    void this.#connection?.close();
  }

  /** Fetches everything, now. */
  sync(): void {
    if (this.#stopped || this.#masterAddr === '') return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    clearTimeout(this.#timer);
    void this.#syncAll().then(
      () => this.#onDone(SYNC_EVERY_MS),
      error => this.#onFailed(error),
    );
  }

  #onDone(nextMs: number): void {
    this.#busy = false;
    this.#meanwhile.length = 0;
    if (this.#stopped) return;
    const again = this.#again;
    this.#again = false;
    clearTimeout(this.#timer);
    if (again) this.sync();
    else this.#timer = setTimeout(() => this.sync(), nextMs);
  }

  #onFailed(error: unknown): void {
    const { log } = this.#options;
    if (this.#wasWell !== false && !this.#stopped) {
      log.warn({ master: this.#masterAddr, reason: messageOf(error) }, 'metadata of the master cannot be fetched');
    }
    this.#wasWell = false;
    this.#onDone(RETRY_MS);
  }

  async #syncAll(): Promise<void> {
    const connection = await this.#connect();
    await this.#syncTopics(connection);
    await this.#syncOffsets(connection);
    await this.#syncDelayOffsets(connection);
    await this.#syncGroups(connection);
    if (this.#wasWell !== true) {
      this.#options.log.info({ master: this.#masterAddr }, 'topics, groups and offsets are those of the master');
    }
    this.#wasWell = true;
  }

  async #connect(): Promise<Connection> {
    if (this.#connection !== undefined && !this.#connection.closed) return this.#connection;
    const address = this.#masterAddr;
    const colon = address.lastIndexOf(':');
    const connection = await Connection.open({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      connectTimeoutMs: REQUEST_TIMEOUT_MS,
      idleTimeoutMs: 0,
      onRequest: request => this.#onRequest(request),
      onClose: () => this.#onClosed(connection),
    });
    if (this.#stopped || address !== this.#masterAddr) {
      void connection.close();
      throw new Error('the master is another one by now');
    }
    this.#connection = connection;
    // Oneway: who does not know the code need not answer.
    connection.sendOneway(createRequest(WATCH_BROKER_METADATA));
    return connection;
  }

  /** A master that comes back is asked at once what changed meanwhile. */
  #onClosed(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#stopped || this.#busy || this.#masterAddr === '') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), RETRY_MS);
  }

  #onRequest(request: RemotingCommand): null {
    if (request.code !== BROKER_METADATA_CHANGED || this.#stopped) return null;
    const { topics, subscriptionGroups } = request.extFields;
    if (request.body !== null) {
      this.#applyOffsets(request.body);
      if (this.#busy) this.#meanwhile.push(request.body);
    }
    if (topics === 'true' || subscriptionGroups === 'true') this.sync();
    return null;
  }

  // ---- tables ----

  async #fetch(connection: Connection, code: number): Promise<Uint8Array | null> {
    const answer = await connection.request(createRequest(code), REQUEST_TIMEOUT_MS);
    if (answer.code !== ResponseCode.SUCCESS) throw new Error(`code ${answer.code}: ${answer.remark ?? ''}`);
    return answer.body;
  }

  async #syncTopics(connection: Connection): Promise<void> {
    const { state, log } = this.#options;
    const wrapper = decodeTopicConfigSerializeWrapper(await this.#fetch(connection, RequestCode.GET_ALL_TOPIC_CONFIG));
    if (equalDataVersions(wrapper.dataVersion, state.topics.version)) return;
    const { changed, removed } = state.topics.replace(wrapper);
    for (const topic of changed) state.news.topic(topicEntryOf(state, topic));
    for (const name of removed) state.news.topicDeleted(name);
    if (changed.length + removed.length > 0) state.register();
    log.debug({ changed: changed.length, removed: removed.length }, 'topics taken over from the master');
  }

  async #syncGroups(connection: Connection): Promise<void> {
    const { state } = this.#options;
    const body = await this.#fetch(connection, RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG);
    const wrapper = decodeSubscriptionGroupWrapper(body);
    if (equalDataVersions(wrapper.dataVersion, state.groups.version)) return;
    const { changed, removed } = state.groups.replace(wrapper);
    for (const group of changed) announceGroup(state, group.groupName);
    for (const name of removed) state.news.groupDeleted(name);
  }

  /** An offset that only the slave knows stays. */
  async #syncOffsets(connection: Connection): Promise<void> {
    this.#meanwhile.length = 0;
    const body = await this.#fetch(connection, RequestCode.GET_ALL_CONSUMER_OFFSET);
    if (body !== null) this.#applyOffsets(body);
    // What the master told of meanwhile may be newer than what it was asked for before.
    for (const later of this.#meanwhile) this.#applyOffsets(later);
    this.#options.state.offsets.save();
  }

  #applyOffsets(body: Uint8Array): void {
    const { offsetTable } = decodeBody(body, 'ConsumerOffsetSerializeWrapper');
    if (!isFields(offsetTable)) return;
    for (const [key, queues] of Object.entries(offsetTable)) {
      const at = key.lastIndexOf('@');
      if (at < 0 || !isFields(queues)) continue;
      for (const [queueId, offset] of Object.entries(queues)) {
        this.#options.state.offsets.commit(key.slice(at + 1), key.slice(0, at), Number(queueId), integerOf(offset));
      }
    }
  }

  /** A master that has none says so with an error. */
  async #syncDelayOffsets(connection: Connection): Promise<void> {
    const answer = await connection.request(createRequest(RequestCode.GET_ALL_DELAY_OFFSET), REQUEST_TIMEOUT_MS);
    if (answer.code !== ResponseCode.SUCCESS || answer.body === null) return;
    decodeBody(answer.body, 'DelayOffsetSerializeWrapper');
    this.#options.saveDelayOffsets(decoder.decode(answer.body));
  }
}

const decoder = new TextDecoder();
