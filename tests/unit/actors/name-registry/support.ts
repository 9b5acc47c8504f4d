/** A name registry with effects that only remember, and the requests that brokers send it. */
import { NameRegistry, type NameRegistryOptions } from '../../../../actors/name-registry/behaviour.js';
import {
  createTopicConfig,
  type DataVersion,
  decodeTopicList,
  decodeTopicRouteData,
  encodeRegisterBrokerBody,
  registerBodyCrc32,
  type TopicConfig,
} from '../../../../protocol/bodies.js';
import { RequestCode } from '../../../../protocol/codes.js';
import { createRequest, type ExtFields, type RemotingCommand } from '../../../../protocol/command.js';
import { VirtualClock } from '../../../../runtime/base/clock.js';

export class Room {
  readonly clock = new VirtualClock();
  readonly closed: number[] = [];
  readonly warnings: string[] = [];
  readonly saved: string[] = [];
  readonly configTexts: string[] = [];
  saveError: Error | undefined;
  readonly registry: NameRegistry;

  constructor(options: NameRegistryOptions = { orderMessageEnable: false }, kvText: string | null = null) {
    this.registry = new NameRegistry(
      {
        nowMs: () => this.clock.nowMs(),
        kvStore: {
          load: () => kvText,
          save: text => {
            if (this.saveError !== undefined) throw this.saveError;
            this.saved.push(text);
          },
        },
        closeConnection: connectionId => this.closed.push(connectionId),
        log: { info: () => undefined, warn: (_fields, message) => this.warnings.push(message) },
        configText: () => 'orderMessageEnable=false\n',
        updateConfig: text => {
          this.configTexts.push(text);
          return text.includes('kvConfigPath')
            ? { code: 16, remark: 'Can not update config in black list.' }
            : { code: 0, remark: null };
        },
      },
      options,
    );
  }

  ask(code: number, extFields: ExtFields = {}, body: Uint8Array | null = null, connectionId = 1): RemotingCommand {
    return this.registry.handle(connectionId, '127.0.0.1:5000', createRequest(code, extFields, body));
  }

  register(broker: Partial<Broker> = {}, connectionId = 1): RemotingCommand {
    return this.registry.handle(connectionId, '127.0.0.1:5000', registration(broker));
  }

  route(topic: string) {
    const response = this.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
    return response.code === 0 ? decodeTopicRouteData(response.body) : undefined;
  }

  topics(code: number = RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, extFields: ExtFields = {}): string[] {
    return [...decodeTopicList(this.ask(code, extFields).body).topicList].sort();
  }
}

export interface Broker {
  clusterName: string;
  brokerName: string;
  brokerAddr: string;
  brokerId: number;
  haServerAddr: string;
  topics: TopicConfig[];
  version: DataVersion;
  filterServers: string[];
  compressed: boolean;
}

export function topic(name: string, values: Partial<TopicConfig> = {}): TopicConfig {
  return createTopicConfig(name, { readQueueNums: 4, writeQueueNums: 4, ...values });
}

/** broker-a, the master of DefaultCluster, with one topic, unless told otherwise. */
export function registration(values: Partial<Broker> = {}): RemotingCommand {
  const { topics, version, filterServers, compressed, ...identity } = {
    clusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerAddr: '127.0.0.1:10911',
    brokerId: 0,
    haServerAddr: '127.0.0.1:10912',
    topics: [topic('T')],
    version: { counter: 1, timestamp: 1 },
    filterServers: [],
    compressed: false,
    ...values,
  };
  const topicConfigTable = Object.fromEntries(topics.map(config => [config.topicName, config]));
  const topicConfigSerializeWrapper = { dataVersion: version, topicConfigTable };
  const body = encodeRegisterBrokerBody({ filterServerList: filterServers, topicConfigSerializeWrapper }, compressed);
  const ext = { ...identity, compressed, bodyCrc32: registerBodyCrc32(body) };
  return createRequest(RequestCode.REGISTER_BROKER, ext, body);
}
