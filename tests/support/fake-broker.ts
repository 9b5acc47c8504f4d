/**
 * A server on 127.0.0.1 that speaks remoting frames and answers as a test tells it: a broker, a name server or both.
 *
 * @example
 * const broker = await FakeBroker.listen();
 * broker.on(RequestCode.GET_MAX_OFFSET, request => createResponse(request, 0, null, { offset: 7 }));
 * // … dial broker.port …
 * await broker.close();
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { encodeTopicRouteData, type TopicRouteData } from '../../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, decodeCommand, encodeCommand, type RemotingCommand } from '../../protocol/command.js';
import { FrameCutter } from '../../protocol/frame.js';
import { beginRecord, finishRecord, formatProperties, recordSize, stampRecord } from '../../protocol/message-record.js';

/** null: no answer. */
export type FakeHandler = (
  request: RemotingCommand,
  socket: Socket,
) => RemotingCommand | null | Promise<RemotingCommand | null>;

export class FakeBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #handlers = new Map<number, FakeHandler>();
  /** Every request, in the order of arrival. */
  readonly requests: RemotingCommand[] = [];
  /** Answers of the client to {@link push}. */
  readonly answers: RemotingCommand[] = [];
  /** Pieces the bytes came in. */
  chunks = 0;
  /** Connections accepted so far. */
  accepted = 0;

  static listen(port = 0): Promise<FakeBroker> {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(new FakeBroker(server)));
    });
  }

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', socket => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers requests of `code`; those of other codes are answered with REQUEST_CODE_NOT_SUPPORTED. */
  on(code: number, handler: FakeHandler): this {
    this.#handlers.set(code, handler);
    return this;
  }

  /** Answers GET_ROUTEINFO_BY_TOPIC; null means TOPIC_NOT_EXIST. */
  serveRoutes(routeOf: (topic: string) => TopicRouteData | null): this {
    return this.on(RequestCode.GET_ROUTEINFO_BY_TOPIC, request => {
      const route = routeOf(request.extFields.topic ?? '');
      if (route === null) return createResponse(request, ResponseCode.TOPIC_NOT_EXIST, 'no topic route info');
      return createResponse(request, ResponseCode.SUCCESS, null, {}, encodeTopicRouteData(route));
    });
  }

  /** Requests of one code. */
  received(code: number): RemotingCommand[] {
    return this.requests.filter(request => request.code === code);
  }

  /** Sends a request of the server's own on every connection. */
  push(command: RemotingCommand): void {
    for (const socket of this.#sockets) socket.write(encodeCommand(command));
  }

  /** Sends bytes as they are on every connection. */
  pushRaw(bytes: Uint8Array): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise(resolve => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.accepted++;
    this.#sockets.add(socket);
    const cutter = new FrameCutter(
      frame => void this.#onFrame(decodeCommand(frame), socket),
      () => socket.destroy(),
    );
    socket.on('data', chunk => {
      this.chunks++;
      cutter.push(chunk);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async #onFrame(command: RemotingCommand, socket: Socket): Promise<void> {
    if ((command.flag & 1) !== 0) {
      this.answers.push(command);
      return;
    }
    this.requests.push(command);
    const handler = this.#handlers.get(command.code);
    const answer =
      handler === undefined
        ? createResponse(command, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, `code ${command.code}`)
        : await handler(command, socket);
    if (answer !== null && (command.flag & 2) === 0 && !socket.destroyed) socket.write(encodeCommand(answer));
  }
}

/** A route of one topic on the brokers given, each a master with `queues` queues. */
export function fakeRoute(
  brokers: Readonly<Record<string, string>>,
  queues = 4,
  perm = 6,
  more: Partial<TopicRouteData> = {},
): TopicRouteData {
  return {
    queueDatas: Object.keys(brokers).map(brokerName => ({
      brokerName,
      perm,
      readQueueNums: queues,
      writeQueueNums: queues,
      topicSysFlag: 0,
    })),
    brokerDatas: Object.entries(brokers).map(([brokerName, address]) => ({
      cluster: 'DefaultCluster',
      brokerName,
      brokerAddrs: { 0: address },
    })),
    filterServerTable: {},
    ...more,
  };
}

export interface FakeRecord {
  readonly topic: string;
  readonly body: Uint8Array | string;
  readonly queueId?: number;
  readonly queueOffset?: number;
  readonly sysFlag?: number;
  readonly reconsumeTimes?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

/** A stored record with IPv4 hosts: born at 127.0.0.1:1, stored at 127.0.0.1:10911. */
export function encodeFakeRecord(record: FakeRecord): Uint8Array {
  const encoder = new TextEncoder();
  const body = typeof record.body === 'string' ? encoder.encode(record.body) : record.body;
  const topic = encoder.encode(record.topic);
  const properties = encoder.encode(formatProperties(Object.entries(record.properties ?? {})));
  const bytes = new Uint8Array(recordSize(body.length, topic.length, properties.length));
  const fields = {
    queueId: record.queueId ?? 0,
    flag: 0,
    sysFlag: record.sysFlag ?? 0,
    bornTimestamp: 1_700_000_000_000,
    bornAddress: 0x7f000001,
    bornPort: 1,
    storeAddress: 0x7f000001,
    storePort: 10911,
    reconsumeTimes: record.reconsumeTimes ?? 0,
    preparedTransactionOffset: 0,
  };
  const propertiesLengthAt = beginRecord(bytes, 0, fields, 0, body, 0, body.length, topic);
  bytes.set(properties, propertiesLengthAt + 2);
  finishRecord(bytes, 0, propertiesLengthAt, properties.length);
  const queueOffset = record.queueOffset ?? 0;
  stampRecord(bytes, 0, queueOffset, queueOffset * 1000, 1_700_000_000_001);
  return bytes;
}

/** The error a promise rejects with; fails when it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
