/**
 * Name servers: configuration, key-value table, write permission of brokers. What changes something goes to all of
 * them: they do not tell each other. Source: spec remoting 4.1; DefaultMQAdminExt.
 */
import { decodeKVTable } from '../../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import type { RemotingCommand } from '../../protocol/command.js';
import { MQBrokerError } from '../errors.js';
import { decodeAnswer } from '../route.js';
import { readProperties, writeProperties } from './brokers.js';
import type { AdminCaller } from './caller.js';

export class NameServerAdmin {
  readonly #caller: AdminCaller;

  constructor(caller: AdminCaller) {
    this.#caller = caller;
  }

  get addresses(): readonly string[] {
    return this.#caller.namesrvAddrs;
  }

  /** Every configuration key of one name server. Errors: MQBrokerError. */
  async config(namesrvAddr: string): Promise<Record<string, string>> {
    return readProperties((await this.#caller.ask(namesrvAddr, RequestCode.GET_NAMESRV_CONFIG)).body);
  }

  /** Changes configuration keys of one name server. Errors: MQBrokerError. */
  async updateConfig(namesrvAddr: string, properties: Readonly<Record<string, string>>): Promise<void> {
    await this.#caller.ask(namesrvAddr, RequestCode.UPDATE_NAMESRV_CONFIG, {}, writeProperties(properties));
  }

  /** Sends no more producers to a broker; gives the number of its topics. Errors: MQBrokerError. */
  async wipeWritePerm(namesrvAddr: string, brokerName: string): Promise<number> {
    const answer = await this.#caller.ask(namesrvAddr, RequestCode.WIPE_WRITE_PERM_OF_BROKER, { brokerName });
    return Number(answer.extFields.wipeTopicCount ?? 0);
  }

  /** Takes {@link wipeWritePerm} back; gives the number of topics. Errors: MQBrokerError. */
  async addWritePerm(namesrvAddr: string, brokerName: string): Promise<number> {
    const answer = await this.#caller.ask(namesrvAddr, RequestCode.ADD_WRITE_PERM_OF_BROKER, { brokerName });
    return Number(answer.extFields.addTopicCount ?? 0);
  }

  /** A value of the key-value table; undefined when there is none. Errors: MQBrokerError. */
  async kvConfig(namespace: string, key: string): Promise<string | undefined> {
    const answer = await this.#lookUp(RequestCode.GET_KV_CONFIG, { namespace, key });
    return answer?.extFields.value;
  }

  /** All keys of a namespace; undefined when there is none. Errors: MQBrokerError. */
  async kvList(namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
    const answer = await this.#lookUp(RequestCode.GET_KVLIST_BY_NAMESPACE, { namespace });
    return answer === undefined ? undefined : decodeAnswer(decodeKVTable, answer.body, 'the name server').table;
  }

  /** Sets a value on every name server. Errors: MQBrokerError. */
  async putKvConfig(namespace: string, key: string, value: string): Promise<void> {
    await this.#askAll(RequestCode.PUT_KV_CONFIG, { namespace, key, value });
  }

  /** Deletes a key on every name server. Errors: MQBrokerError. */
  async deleteKvConfig(namespace: string, key: string): Promise<void> {
    await this.#askAll(RequestCode.DELETE_KV_CONFIG, { namespace, key });
  }

  async #lookUp(code: number, fields: Readonly<Record<string, string>>): Promise<RemotingCommand | undefined> {
    const answer = await this.#caller.askNameServer(code, fields);
    if (answer.code === ResponseCode.QUERY_NOT_FOUND) return undefined;
    if (answer.code !== ResponseCode.SUCCESS) throw new MQBrokerError(answer, this.addresses.join(';'));
    return answer;
  }

  async #askAll(code: number, fields: Readonly<Record<string, string>>): Promise<void> {
    for (const address of this.addresses) await this.#caller.ask(address, code, fields);
  }
}
