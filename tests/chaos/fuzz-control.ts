/** The client that behaves while others do not. */
import { messageOf } from '../../runtime/base/errors.js';
import { RawClient } from '../support/raw-client.js';
import { createTopic, pullQueue } from '../support/raw-requests.js';
import type { Tally } from './fuzz-session.js';
import { control } from './fuzz-values.js';

const limitMs = 20_000;

/** What it sends is stored, and comes back; what it tells the name server is kept. */
export class Control {
  readonly #tally: Tally;
  readonly #ports: { readonly broker: number; readonly namesrv: number };
  #next = 0;

  constructor(tally: Tally, ports: { readonly broker: number; readonly namesrv: number }) {
    this.#tally = tally;
    this.#ports = ports;
  }

  async prepare(): Promise<void> {
    const client = await RawClient.connect(`127.0.0.1:${this.#ports.broker}`);
    await createTopic(client, control.topic, 1);
    client.close();
  }

  async check(): Promise<void> {
    const broker = await RawClient.connect(`127.0.0.1:${this.#ports.broker}`);
    const nameServer = await RawClient.connect(`127.0.0.1:${this.#ports.namesrv}`);
    try {
      const first = this.#next;
      await Promise.all(Array.from({ length: 20 }, () => this.#send(broker)));
      const bodies: string[] = [];
      const until = { fromOffset: first, untilOffset: this.#next };
      await pullQueue(broker, control.topic, 0, record => bodies.push(record.body.toString()), until);
      const expected = Array.from({ length: 20 }, (_, index) => `control ${first + index}`);
      if (bodies.join() !== expected.join())
        this.#tally.fault(`the control read ${bodies.join()} for ${expected.join()}`);
      this.#tally.controlMessages += bodies.length;
      const value = `value ${first}`;
      const pair = { namespace: control.topic, key: 'k' };
      await nameServer.request(100, { ...pair, value });
      const answer = await nameServer.request(101, pair);
      if (answer.ext.value !== value) this.#tally.fault(`the name server kept ${answer.ext.value} for ${value}`);
    } catch (error) {
      this.#tally.fault(`the control was not served: ${messageOf(error)}`);
    } finally {
      broker.close();
      nameServer.close();
    }
  }

  async #send(client: RawClient): Promise<void> {
    const body = Buffer.from(`control ${this.#next++}`);
    const late = setTimeout(() => client.close(), limitMs);
    const answer = await client.send({ topic: control.topic, queueId: 0, body });
    clearTimeout(late);
    if (answer.code !== 0) this.#tally.fault(`a control message was refused: ${answer.code} ${answer.remark}`);
  }
}
