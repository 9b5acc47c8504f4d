/** One broker as such: configuration, state, counters, cleaning up. Source: spec remoting 4.2.2; DefaultMQAdminExt. */
import { parse, stringify } from 'dot-properties';
import { type BrokerStatsData, decodeBrokerStatsData } from '../../protocol/bodies/admin.js';
import { decodeKVTable } from '../../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { decodeAnswer } from '../route.js';
import type { AdminCaller } from './caller.js';

/** Counters that brokers keep; the key is a topic, or for `GROUP_*` `topic@group`. Source: BrokerStatsManager. */
export type BrokerStatsName = 'TOPIC_PUT_NUMS' | 'TOPIC_PUT_SIZE' | 'GROUP_GET_NUMS' | 'GROUP_GET_SIZE';

export class BrokerAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  /** Every configuration key. Errors: MQBrokerError. */
  async config(brokerAddr: string): Promise<Record<string, string>> {
    const answer = await this.#caller.ask(brokerAddr, RequestCode.GET_BROKER_CONFIG);
    return readProperties(answer.body);
  }

  /** Changes configuration keys, unknown ones apart, and gives the broker's remark. Errors: MQBrokerError. */
  async updateConfig(brokerAddr: string, properties: Readonly<Record<string, string>>): Promise<string | null> {
    const code = RequestCode.UPDATE_BROKER_CONFIG;
    return (await this.#caller.ask(brokerAddr, code, {}, writeProperties(properties))).remark;
  }

  /** What a broker tells of itself, all as text: `putTps`, `commitLogMaxOffset`, … Errors: MQBrokerError. */
  async runtimeInfo(brokerAddr: string): Promise<Readonly<Record<string, string>>> {
    return (await this.#caller.read(brokerAddr, RequestCode.GET_BROKER_RUNTIME_INFO, {}, decodeKVTable)).table;
  }

  /** A counter; undefined when nothing was counted under this name and key. Errors: MQBrokerError. */
  async stats(brokerAddr: string, statsName: BrokerStatsName, statsKey: string): Promise<BrokerStatsData | undefined> {
    const codes = [ResponseCode.SUCCESS, ResponseCode.SYSTEM_ERROR];
    const fields = { statsName, statsKey };
    const answer = await this.#caller.ask(brokerAddr, RequestCode.VIEW_BROKER_STATS_DATA, fields, null, codes);
    if (answer.code !== ResponseCode.SUCCESS) return undefined;
    return decodeAnswer(decodeBrokerStatsData, answer.body, brokerAddr);
  }

  /** Deletes files of queues and index that point to nothing the log has. Errors: MQBrokerError. */
  async cleanExpiredConsumeQueue(brokerAddr: string): Promise<void> {
    await this.#caller.ask(brokerAddr, RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE);
  }

  /** Deletes the queues of topics that are gone. Errors: MQBrokerError. */
  async cleanUnusedTopic(brokerAddr: string): Promise<void> {
    await this.#caller.ask(brokerAddr, RequestCode.CLEAN_UNUSED_TOPIC);
  }
}

/** Properties as servers send them. */
export function readProperties(body: Uint8Array | null): Record<string, string> {
  const properties = parse(new TextDecoder().decode(body ?? new Uint8Array(0)));
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, String(value)]));
}

/** Properties as servers read them. */
export function writeProperties(properties: Readonly<Record<string, string>>): Uint8Array {
  return new TextEncoder().encode(`${stringify({ ...properties }, { lineWidth: null })}\n`);
}
