/** How the parts of the admin client ask: brokers by address, name servers one after another or all of them. */
import { createRequest, type ExtFields, type RemotingCommand } from '../../protocol/command.js';
import type { ClientInstance } from '../client-instance.js';
import { decodeAnswer } from '../route.js';

export class AdminCaller {
  readonly #instance: ClientInstance;

  constructor(instance: ClientInstance) {
    this.#instance = instance;
  }

  /** Every name server of the client. */
  get namesrvAddrs(): readonly string[] {
    return this.#instance.registry.addresses;
  }

  /** Asks one server and insists on one of `codes`, SUCCESS alone unless told. Errors: MQBrokerError, MQClientError. */
  async ask(
    address: string,
    code: number,
    fields: ExtFields = {},
    body: Uint8Array | null = null,
    codes?: readonly number[],
  ): Promise<RemotingCommand> {
    this.#instance.checkRunning();
    return this.#instance.invoke(address, createRequest(code, fields, body), undefined, codes);
  }

  /** {@link ask}, and the body decoded. Errors: as there; MQClientError BAD_ANSWER. */
  async read<Body>(
    address: string,
    code: number,
    fields: ExtFields,
    decode: (bytes: Uint8Array | null) => Body,
  ): Promise<Body> {
    const answer = await this.ask(address, code, fields);
    return decodeAnswer(decode, answer.body, address);
  }

  /** Asks one name server, the next one where the first is gone; any answer counts. */
  async askNameServer(code: number, fields: ExtFields): Promise<RemotingCommand> {
    this.#instance.checkRunning();
    return this.#instance.registry.request(createRequest(code, fields));
  }
}
