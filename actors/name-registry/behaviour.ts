/**
 * What a name server answers. State plus one method a request; no clock, file or socket except through the effects.
 * Source: spec remoting 4.1, 9; DefaultRequestProcessor.
 *
 * @example
 * const registry = new NameRegistry(effects, { orderMessageEnable: false });
 * registry.handle(7, '10.0.0.5:41234', createRequest(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' }));
 */
import {
  decodeDataVersion,
  decodeRegisterBrokerBody,
  encodeBody,
  encodeTopicRouteData,
  registerBodyCrc32,
  TopicSysFlag,
} from '../../protocol/bodies.js';
import { RequestCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { RingError } from '../../runtime/base/errors.js';
import { KvConfig, type KvStore, NAMESPACE_ORDER_TOPIC_CONFIG } from './kv-config.js';
import { noConfigItem, notSupported, success, successWithBody, systemError, topicNotExist } from './outcomes.js';
import { type BrokerIdentity, type LiveBroker, RouteTable } from './route-table.js';

/** What the name server does to the world. */
export interface NameRegistryEffects {
  /** Units: ms since the epoch. */
  nowMs(): number;
  readonly kvStore: KvStore;
  closeConnection(connectionId: number): void;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** The configuration as properties text. */
  configText(): string;
  /** Takes properties text over; answers with a response code and its remark. */
  updateConfig(text: string): { code: number; remark: string | null };
}

export interface NameRegistryOptions {
  /** Adds the queues of ordered topics to routes. Read at every request, so it may change while running. */
  readonly orderMessageEnable: boolean;
}

/** Addresses and names of a broker may be this long. Units: UTF-16 units. */
const IDENTITY_LENGTH_MAX = 1024;
const FILTER_SERVERS_MAX = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class NameRegistry {
  readonly #effects: NameRegistryEffects;
  readonly #options: NameRegistryOptions;
  readonly #routes = new RouteTable();
  readonly #kvConfig: KvConfig;

  /** Errors: RingError CONFIG_INVALID when the key-value file cannot be read. */
  constructor(effects: NameRegistryEffects, options: NameRegistryOptions) {
    this.#effects = effects;
    this.#options = options;
    this.#kvConfig = new KvConfig(effects.kvStore);
  }

  /**
   * The response to any request; whoever calls drops it when the request is oneway. Bodies of routes are shared between
   * responses and are not to be written to.
   * Errors: none by input. What cannot be read or done is SYSTEM_ERROR with the reason as its remark.
   */
  handle(connectionId: number, remoteAddress: string, request: RemotingCommand): RemotingCommand {
    try {
      return this.#dispatch(connectionId, request);
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.#effects.log.warn({ remoteAddress, requestCode: request.code, reason: error.message }, 'request refused');
      return systemError(request, error.message);
    }
  }

  /** Forgets the brokers that registered over the connection, at once. */
  connectionClosed(connectionId: number): void {
    this.#logRemoved(this.#routes.removeConnection(connectionId), 'broker removed, its connection closed');
  }

  /** Forgets brokers that have been silent for too long, and closes their connections. Called every ten seconds. */
  scanNotActiveBrokers(): void {
    const expired = this.#routes.removeExpired(this.#effects.nowMs());
    this.#logRemoved(expired, 'broker removed, it has been silent for too long');
    for (const connectionId of new Set(expired.map(broker => broker.connectionId))) {
      this.#effects.closeConnection(connectionId);
    }
  }

  #dispatch(connectionId: number, request: RemotingCommand): RemotingCommand {
    const topics = this.#routes.topics;
    switch (request.code) {
      case RequestCode.GET_ROUTEINFO_BY_TOPIC:
        return this.#getRouteInfoByTopic(request);
      case RequestCode.REGISTER_BROKER:
        return this.#registerBroker(connectionId, request);
      case RequestCode.UNREGISTER_BROKER:
        return this.#unregisterBroker(request);
      case RequestCode.QUERY_DATA_VERSION:
        return this.#queryDataVersion(request);
      case RequestCode.GET_BROKER_CLUSTER_INFO:
        return successWithBody(request, this.#routes.clusterInfo());
      case RequestCode.WIPE_WRITE_PERM_OF_BROKER:
        return success(request, { wipeTopicCount: this.#routes.wipeWritePerm(required(request, 'brokerName')) });
      case RequestCode.ADD_WRITE_PERM_OF_BROKER:
        return success(request, { addTopicCount: this.#routes.addWritePerm(required(request, 'brokerName')) });
      case RequestCode.DELETE_TOPIC_IN_NAMESRV:
        this.#routes.deleteTopic(required(request, 'topic'), request.extFields.clusterName || undefined);
        return success(request);
      case RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER:
        return answerTopics(request, topics.allTopics());
      case RequestCode.GET_TOPICS_BY_CLUSTER:
        return this.#getTopicsByCluster(request);
      case RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS:
        return this.#getSystemTopicList(request);
      case RequestCode.GET_UNIT_TOPIC_LIST:
        return answerTopics(request, topics.topicsWithSysFlag(TopicSysFlag.UNIT));
      case RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST:
        return answerTopics(request, topics.topicsWithSysFlag(TopicSysFlag.UNIT_SUB));
      case RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST:
        return answerTopics(request, topics.topicsWithSysFlag(TopicSysFlag.UNIT_SUB, TopicSysFlag.UNIT));
      case RequestCode.GET_NAMESRV_CONFIG:
        return success(request, {}, encoder.encode(this.#effects.configText()));
      case RequestCode.UPDATE_NAMESRV_CONFIG:
        return this.#updateConfig(request);
      default:
        return this.#dispatchKvConfig(request);
    }
  }

  #dispatchKvConfig(request: RemotingCommand): RemotingCommand {
    const { namespace = '', key = '', value } = request.extFields;
    switch (request.code) {
      case RequestCode.GET_KV_CONFIG: {
        const found = this.#kvConfig.get(namespace, key);
        return found === undefined ? noConfigItem(request, namespace, key) : success(request, { value: found });
      }
      case RequestCode.PUT_KV_CONFIG:
        if (request.extFields.namespace === undefined || request.extFields.key === undefined) {
          return systemError(request, 'namespace or key is null');
        }
        if (value === undefined) return systemError(request, 'value is null');
        this.#kvConfig.put(namespace, key, value);
        this.#effects.log.info({ namespace, key, value }, 'config item put');
        return success(request);
      case RequestCode.DELETE_KV_CONFIG:
        this.#deleteKvConfig(namespace, [key]);
        return success(request);
      case RequestCode.GET_KVLIST_BY_NAMESPACE: {
        const table = this.#kvConfig.table(namespace);
        return table === undefined ? noConfigItem(request, namespace) : successWithBody(request, { table });
      }
      case RequestCode.GET_KV_CONFIG_BY_VALUE: {
        // 5.x reused the number for registering a topic, which has no namespace.
        if (request.extFields.namespace === undefined) return notSupported(request);
        const keys = this.#kvConfig.keysOfValue(namespace, key);
        return keys.length === 0 ? noConfigItem(request, namespace, key) : success(request, { value: keys.join(';') });
      }
      case RequestCode.DELETE_KV_CONFIG_BY_VALUE:
        this.#deleteKvConfig(namespace, this.#kvConfig.keysOfValue(namespace, key));
        return success(request);
      default:
        return notSupported(request);
    }
  }

  #deleteKvConfig(namespace: string, keys: readonly string[]): void {
    this.#kvConfig.delete(namespace, keys);
    this.#effects.log.info({ namespace, keys }, 'config items deleted');
  }

  #getRouteInfoByTopic(request: RemotingCommand): RemotingCommand {
    const topic = required(request, 'topic');
    const orderTopicConf = this.#options.orderMessageEnable
      ? this.#kvConfig.get(NAMESPACE_ORDER_TOPIC_CONFIG, topic)
      : undefined;
    if (orderTopicConf === undefined) {
      const body = this.#routes.routeBody(topic);
      return body === undefined ? topicNotExist(request, topic) : success(request, {}, body);
    }
    const route = this.#routes.pickupRoute(topic);
    if (route === undefined) return topicNotExist(request, topic);
    return success(request, {}, encodeTopicRouteData({ ...route, orderTopicConf }));
  }

  #registerBroker(connectionId: number, request: RemotingCommand): RemotingCommand {
    const identity = identityOf(request);
    const { haServerAddr, compressed } = request.extFields;
    const bodyCrc32 = integerField(request, 'bodyCrc32', 0);
    if (bodyCrc32 !== 0 && bodyCrc32 !== registerBodyCrc32(request.body)) {
      return systemError(request, 'crc32 not match');
    }
    const sender = { version: request.version, compressed: compressed?.toLowerCase() === 'true' };
    const { filterServerList, topicConfigSerializeWrapper } = decodeRegisterBrokerBody(request.body, sender);
    const { dataVersion, topicConfigTable } = topicConfigSerializeWrapper;
    if (filterServerList !== null && filterServerList.length > FILTER_SERVERS_MAX) {
      return systemError(request, `more than ${FILTER_SERVERS_MAX} filter servers`);
    }
    const topics = Object.values(topicConfigTable);
    const state = { haServerAddr, dataVersion, topics, filterServers: filterServerList, connectionId };
    const outcome = this.#routes.registerBroker({ ...identity, ...state }, this.#effects.nowMs());
    if (outcome.isRefused) return systemError(request, 'the table of brokers is full');
    if (outcome.isNew) this.#effects.log.info({ ...identity, haServerAddr }, 'new broker registered');
    for (const rival of outcome.displaced) this.#warnOfRival(identity, rival);
    if (outcome.skippedTopicCount > 0) {
      this.#effects.log.warn({ ...identity, count: outcome.skippedTopicCount }, 'topics that cannot be routed');
    }
    const master = { masterAddr: outcome.master?.brokerAddr, haServerAddr: outcome.master?.haServerAddr };
    const table = this.#kvConfig.table(NAMESPACE_ORDER_TOPIC_CONFIG);
    return success(request, master, table === undefined ? null : encodeBody({ table }));
  }

  #warnOfRival(identity: BrokerIdentity, rival: LiveBroker): void {
    const fields = { ...identity, rivalName: rival.brokerName, rivalId: rival.brokerId, rivalAddr: rival.brokerAddr };
    const claim = `${identity.brokerName}/${identity.brokerId} at ${identity.brokerAddr}`;
    const former = `${rival.brokerName}/${rival.brokerId} at ${rival.brokerAddr}`;
    this.#effects.log.warn(fields, `broker ${claim} takes the place of ${former}, which was alive`);
  }

  #unregisterBroker(request: RemotingCommand): RemotingCommand {
    const identity = identityOf(request);
    const isKnown = this.#routes.unregisterBroker(identity);
    this.#effects.log.info({ ...identity, isKnown }, 'broker unregistered');
    return success(request);
  }

  #queryDataVersion(request: RemotingCommand): RemotingCommand {
    const brokerAddr = required(request, 'brokerAddr');
    const version = decodeDataVersion(request.body);
    const { changed, stored } = this.#routes.queryDataVersion(brokerAddr, version, this.#effects.nowMs());
    return success(request, { changed }, stored === undefined ? null : encodeBody(stored));
  }

  #getTopicsByCluster(request: RemotingCommand): RemotingCommand {
    const brokerNames = this.#routes.brokerNamesOf(required(request, 'cluster'));
    return answerTopics(request, this.#routes.topics.topicsOfBrokers(brokerNames));
  }

  /** Not the system topics (a broker knows those) but the names of clusters and brokers, which are topics too. */
  #getSystemTopicList(request: RemotingCommand): RemotingCommand {
    const clusters = Object.entries(this.#routes.clusterInfo().clusterAddrTable);
    const topicList = clusters.flatMap(([cluster, brokerNames]) => [cluster, ...brokerNames]);
    return successWithBody(request, { brokerAddr: this.#routes.anyBrokerAddr(), topicList });
  }

  #updateConfig(request: RemotingCommand): RemotingCommand {
    if (request.body === null) return success(request);
    const { code, remark } = this.#effects.updateConfig(decoder.decode(request.body));
    return createResponse(request, code, remark);
  }

  #logRemoved(brokers: readonly LiveBroker[], message: string): void {
    for (const { clusterName, brokerName, brokerId, brokerAddr } of brokers) {
      this.#effects.log.warn({ clusterName, brokerName, brokerId, brokerAddr }, message);
    }
  }
}

function answerTopics(request: RemotingCommand, topicList: readonly string[]): RemotingCommand {
  return successWithBody(request, { topicList });
}

function required(request: RemotingCommand, field: string): string {
  const value = request.extFields[field];
  if (value !== undefined && value !== '') return value;
  throw new RingError('PROTOCOL_VIOLATION', `the field ${field} is missing`);
}

/** `otherwise` stands for a missing field; without it the field is required. */
function integerField(request: RemotingCommand, field: string, otherwise?: number): number {
  const text = request.extFields[field];
  if (text === undefined && otherwise !== undefined) return otherwise;
  const value = /^-?\d{1,19}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new RingError('PROTOCOL_VIOLATION', `the field ${field} is not an integer: ${text?.slice(0, 100)}`);
}

function identityOf(request: RemotingCommand): BrokerIdentity {
  const identity = {
    clusterName: required(request, 'clusterName'),
    brokerName: required(request, 'brokerName'),
    brokerAddr: required(request, 'brokerAddr'),
  };
  for (const [field, value] of Object.entries(identity)) {
    if (value.length > IDENTITY_LENGTH_MAX) throw new RingError('PROTOCOL_VIOLATION', `the field ${field} is too long`);
  }
  return { ...identity, brokerId: integerField(request, 'brokerId') };
}
