/**
 * A broker and its name server for consumers: queues in memory, held pulls, committed offsets, the members of a group,
 * locks. What a test wants otherwise it says with `broker.on(code, …)`.
 *
 * @example
 * const fake = await FakeMessageBroker.listen({ T: 2 });
 * fake.put('T', 0, 'hello');
 * // … a consumer with namesrvAddr fake.address …
 * await fake.close();
 */
import { decodeBody, encodeBody, objectsOf } from '../../protocol/bodies/fields.js';
import { decodeHeartbeatData, type HeartbeatData } from '../../protocol/bodies/group.js';
import { messageQueueOf } from '../../protocol/bodies/message-queue.js';
import { PullSysFlag, RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createRequest, createResponse, type ExtFields, type RemotingCommand } from '../../protocol/command.js';
import { encodeFakeRecord, FakeBroker, type FakeRecord, fakeRoute } from './fake-broker.js';

export const BROKER_NAME = 'broker-a';

export class FakeMessageBroker {
  readonly broker: FakeBroker;
  readonly registry: FakeBroker;
  /** Queues by `topic@queueId`. */
  readonly #queues = new Map<string, Uint8Array[]>();
  readonly #topics: Map<string, number>;
  /** Pulls that wait, by `topic@queueId`. */
  readonly #held = new Map<string, (() => void)[]>();
  /** Committed offsets by `topic@queueId`. */
  readonly offsets = new Map<string, number>();
  /** Members besides the consumers that have sent a heartbeat. */
  others: string[] = [];
  /** Queues whose lock another member has, as `topic@queueId`. */
  readonly lockedByOthers = new Set<string>();
  readonly #clients = new Set<string>();

  static async listen(topics: Readonly<Record<string, number>>): Promise<FakeMessageBroker> {
    const [broker, registry] = await Promise.all([FakeBroker.listen(), FakeBroker.listen()]);
    return new FakeMessageBroker(broker, registry, new Map(Object.entries(topics)));
  }

  private constructor(broker: FakeBroker, registry: FakeBroker, topics: Map<string, number>) {
    this.broker = broker;
    this.registry = registry;
    this.#topics = topics;
    registry.serveRoutes(topic => {
      const queues = this.#topics.get(topic);
      return queues === undefined ? null : fakeRoute({ [BROKER_NAME]: broker.address }, queues);
    });
    broker.on(RequestCode.HEART_BEAT, request => {
      this.#clients.add(decodeHeartbeatData(request.body).clientID);
      return createResponse(request, 0);
    });
    broker.on(RequestCode.UNREGISTER_CLIENT, request => {
      this.#clients.delete(request.extFields.clientID ?? '');
      return createResponse(request, 0);
    });
    broker.on(RequestCode.GET_CONSUMER_LIST_BY_GROUP, request => this.#members(request));
    broker.on(RequestCode.QUERY_CONSUMER_OFFSET, request => {
      const offset = this.offsets.get(keyOf(request));
      return createResponse(request, offset === undefined ? ResponseCode.QUERY_NOT_FOUND : 0, null, { offset });
    });
    broker.on(RequestCode.UPDATE_CONSUMER_OFFSET, request => {
      this.offsets.set(keyOf(request), Number(request.extFields.commitOffset));
      return createResponse(request, 0);
    });
    broker.on(RequestCode.GET_MAX_OFFSET, request =>
      createResponse(request, 0, null, { offset: this.#records(keyOf(request)).length }),
    );
    broker.on(RequestCode.PULL_MESSAGE, request => this.#pull(request));
    broker.on(RequestCode.CONSUMER_SEND_MSG_BACK, request => createResponse(request, 0));
    broker.on(RequestCode.LOCK_BATCH_MQ, request => this.#lock(request));
    broker.on(RequestCode.UNLOCK_BATCH_MQ, request => createResponse(request, 0));
    broker.on(RequestCode.SEND_MESSAGE_V2, request =>
      createResponse(request, 0, null, { msgId: 'ID', queueOffset: 0 }),
    );
  }

  /** Of the name server. */
  get address(): string {
    return this.registry.address;
  }

  /** Makes a topic known. */
  addTopic(topic: string, queues: number): void {
    this.#topics.set(topic, queues);
  }

  /** Stores messages; pulls that are held see them. */
  put(topic: string, queueId: number, ...bodies: readonly string[]): void {
    for (const body of bodies) this.putRecord({ topic, queueId, body });
  }

  putRecord(record: Omit<FakeRecord, 'queueOffset'>): void {
    const key = `${record.topic}@${record.queueId ?? 0}`;
    const records = this.#records(key);
    const properties = {
      UNIQ_KEY: `ID-${record.topic}-${record.queueId ?? 0}-${records.length}`,
      ...record.properties,
    };
    records.push(encodeFakeRecord({ ...record, properties, queueOffset: records.length }));
    this.#release(key);
  }

  /** Asks the clients something, as a broker does. */
  ask(code: number, fields: ExtFields, body: Uint8Array | null = null, oneway = false): RemotingCommand {
    const request = createRequest(code, fields, body);
    if (oneway) request.flag = 2;
    this.broker.push(request);
    return request;
  }

  /** What the last heartbeat said. */
  lastHeartbeat(): HeartbeatData {
    return decodeHeartbeatData(this.broker.received(RequestCode.HEART_BEAT).at(-1)!.body);
  }

  async close(): Promise<void> {
    for (const key of [...this.#held.keys()]) this.#release(key);
    await Promise.all([this.broker.close(), this.registry.close()]);
  }

  #records(key: string): Uint8Array[] {
    let records = this.#queues.get(key);
    if (records === undefined) {
      records = [];
      this.#queues.set(key, records);
    }
    return records;
  }

  #release(key: string): void {
    const held = this.#held.get(key) ?? [];
    this.#held.delete(key);
    for (const resume of held) resume();
  }

  #members(request: RemotingCommand): RemotingCommand {
    const consumerIdList = [...this.#clients, ...this.others];
    if (consumerIdList.length === 0) return createResponse(request, ResponseCode.SYSTEM_ERROR, 'no consumer');
    return createResponse(request, 0, null, {}, encodeBody({ consumerIdList }));
  }

  async #pull(request: RemotingCommand): Promise<RemotingCommand> {
    const { queueOffset, maxMsgNums, sysFlag } = request.extFields;
    const offset = Number(queueOffset);
    const key = keyOf(request);
    const records = this.#records(key);
    const mayHold = (Number(sysFlag) & PullSysFlag.SUSPEND) !== 0;
    if (offset === records.length && mayHold) {
      await new Promise<void>(resume => this.#held.set(key, [...(this.#held.get(key) ?? []), resume]));
    }
    const found = records.slice(offset, offset + Number(maxMsgNums));
    const bounds = { suggestWhichBrokerId: 0, minOffset: 0, maxOffset: records.length };
    if (offset > records.length) {
      const fields = { ...bounds, nextBeginOffset: records.length };
      return createResponse(request, ResponseCode.PULL_OFFSET_MOVED, null, fields);
    }
    const code = found.length === 0 ? ResponseCode.PULL_NOT_FOUND : ResponseCode.SUCCESS;
    const fields = { ...bounds, nextBeginOffset: offset + found.length };
    return createResponse(request, code, null, fields, found.length === 0 ? null : Buffer.concat(found));
  }

  #lock(request: RemotingCommand): RemotingCommand {
    const asked = objectsOf(decodeBody(request.body, 'lock').mqSet, messageQueueOf);
    const lockOKMQSet = asked.filter(({ topic, queueId }) => !this.lockedByOthers.has(`${topic}@${queueId}`));
    return createResponse(request, 0, null, {}, encodeBody({ lockOKMQSet }));
  }
}

function keyOf({ extFields }: RemotingCommand): string {
  return `${extFields.topic}@${extFields.queueId}`;
}
