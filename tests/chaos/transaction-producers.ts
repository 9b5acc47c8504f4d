/** Producers of transactions that die between the half message and the end, and answer what their group is asked. */
import type { Prng } from '../../runtime/base/prng.js';
import { type Answer, physicalOffsetOf, RawClient } from '../support/raw-client.js';

export const group = 'Transactions_PG';
export const topic = 'Transactions';
/** A producer waits up to so long before it begins the next transaction. Units: ms. */
const pauseMaxMs = 400;

export interface Transaction {
  readonly name: string;
  readonly commits: boolean;
  /** Its half message was acknowledged. */
  acknowledged: boolean;
  asked: number;
}

/** What all producers of the group know: each can answer for every other. */
export class Registry {
  readonly transactions = new Map<string, Transaction>();
  readonly random: Prng;
  readonly #wanted: number;
  acknowledged = 0;
  questions = 0;

  constructor(random: Prng, wanted: number) {
    this.random = random;
    this.#wanted = wanted;
  }

  /** As many half messages as were wanted are acknowledged. */
  get isDone(): boolean {
    return this.acknowledged >= this.#wanted;
  }

  begin(): Transaction {
    const name = `T${this.transactions.size}`;
    const transaction = { name, commits: this.random.oneIn(2), acknowledged: false, asked: 0 };
    this.transactions.set(name, transaction);
    return transaction;
  }
}

/** One producer, as long as its connection lives. */
export class TransactionProducer {
  readonly #registry: Registry;
  readonly #client: RawClient;
  readonly #window: number;
  /** Half messages not answered yet. */
  #underway = 0;

  /** Errors: Error when nobody listens there. */
  static async connect(address: string, clientId: string, registry: Registry): Promise<TransactionProducer> {
    const client = await RawClient.connect(address);
    const producer = new TransactionProducer(client, registry);
    const heartbeat = { clientID: clientId, consumerDataSet: [], producerDataSet: [{ groupName: group }] };
    await client.request(34, {}, Buffer.from(JSON.stringify(heartbeat)));
    return producer;
  }

  private constructor(client: RawClient, registry: Registry) {
    this.#client = client;
    this.#registry = registry;
    this.#window = registry.random.between(1, 8);
    client.onRequest = request => this.#onRequest(request);
  }

  /** Resolves when the connection is gone, or there is nothing to begin any more. */
  run(): Promise<void> {
    return new Promise(resolve => {
      this.#client.onEnd(resolve);
      this.#fill(resolve);
    });
  }

  /** Stays to answer questions. */
  get isOpen(): boolean {
    return this.#client.isOpen;
  }

  close(): void {
    this.#client.close();
  }

  #fill(done: () => void): void {
    while (this.#client.isOpen && this.#underway < this.#window && !this.#registry.isDone) this.#begin(done);
    if (this.#registry.isDone && this.#underway === 0) done();
  }

  #begin(done: () => void): void {
    const transaction = this.#registry.begin();
    this.#underway++;
    const properties = { TRAN_MSG: 'true', PGROUP: group, UNIQ_KEY: transaction.name };
    const message = { topic, queueId: 0, body: Buffer.from(transaction.name), properties };
    this.#client.sendPipelined(message, answer => {
      if (answer !== undefined && (answer.code === 0 || answer.code === 10)) {
        transaction.acknowledged = true;
        this.#registry.acknowledged++;
        this.#onHalf(transaction, answer.queueOffset, physicalOffsetOf(answer.msgId));
      }
      // Spread over the kills.
      setTimeout(() => this.#next(done), answer === undefined ? 0 : this.#registry.random.below(pauseMaxMs));
    });
  }

  #next(done: () => void): void {
    this.#underway--;
    this.#fill(done);
  }

  /** It ends the transaction, or forgets it, or dies. */
  #onHalf(transaction: Transaction, halfOffset: number, position: number): void {
    const { random } = this.#registry;
    if (random.oneIn(40)) this.#client.close();
    else if (random.oneIn(2)) this.#end(transaction, halfOffset, position, false);
  }

  #onRequest({ code, ext }: Answer): void {
    if (code !== 39) return;
    this.#registry.questions++;
    const transaction = this.#registry.transactions.get(ext.transactionId ?? '');
    if (transaction === undefined) throw new Error(`a question about ${ext.transactionId}, which nobody began`);
    transaction.asked++;
    if (this.#registry.random.oneIn(5)) return;
    this.#end(transaction, Number(ext.tranStateTableOffset), Number(ext.commitLogOffset), true);
  }

  #end(transaction: Transaction, halfOffset: number, position: number, asked: boolean): void {
    this.#client.sendOneway(37, {
      producerGroup: group,
      tranStateTableOffset: String(halfOffset),
      commitLogOffset: String(position),
      commitOrRollback: transaction.commits ? '8' : '12',
      fromTransactionCheck: String(asked),
      msgId: transaction.name,
      transactionId: transaction.name,
    });
  }
}
