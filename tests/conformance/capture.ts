/**
 * Makes the vectors in `vectors/*.json`: starts a Java name server and broker, puts a recording proxy before each, runs
 * a Java client against them, and keeps the first frame of every kind that passed, unchanged.
 *
 *   RINGMQ_REFERENCE=… node dist/tests/conformance/capture.js --java 4.9.7 --client "Java 4.9.7" \
 *     --how "a producer, a pull consumer and an ordered push consumer" --out vectors.json \
 *     -- java -cp CLASSPATH Client {namesrv}
 *
 * `{namesrv}` in the command is where the client finds the name server. The client must find the broker through its
 * proxy as well, so the proxy of the name server changes the broker's port in routes on their way to the client (after
 * recording them). Frames are cut and read here without the code that the vectors test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { javaLaunchers } from '../support/java.js';
import { freePort, removeFolder, startBroker, startNameServer, temporaryFolder } from '../support/node-process.js';
import { runAsProgram } from '../support/rig-arguments.js';

export type Link = 'name server' | 'broker';

/** One frame as it passed a proxy. */
export interface PassedFrame {
  readonly link: Link;
  readonly connection: number;
  /** Towards the server, or from it. */
  readonly direction: 'up' | 'down';
  readonly bytes: Buffer;
}

export interface CapturedFrame {
  /** "broker 310 request", "broker 310 answer 0", "broker 40 request to the client". */
  readonly name: string;
  readonly link: Link;
  readonly kind: 'request' | 'answer';
  /** Request code: that of the request which an answer answers. */
  readonly requestCode: number;
  /** The whole frame. */
  readonly hex: string;
}

/** One file of vectors. */
export interface CaptureFile {
  readonly captured: {
    readonly date: string;
    readonly client: string;
    readonly server: string;
    readonly how: string;
  };
  readonly frames: readonly CapturedFrame[];
}

/** Cuts a stream at its length words. */
class Cutter {
  #left: Buffer = Buffer.alloc(0);
  readonly #onFrame: (bytes: Buffer) => void;

  constructor(onFrame: (bytes: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    this.#left = Buffer.concat([this.#left, chunk]);
    while (this.#left.length >= 4 && this.#left.length >= 4 + this.#left.readInt32BE(0)) {
      const size = 4 + this.#left.readInt32BE(0);
      this.#onFrame(this.#left.subarray(0, size));
      this.#left = this.#left.subarray(size);
    }
  }
}

export interface ProxyOptions {
  readonly link: Link;
  /** `host:port` of the server. */
  readonly to: string;
  readonly port: number;
  /** Text of equal length, replaced in what the server says. */
  readonly rewrite?: { readonly from: string; readonly to: string };
  readonly onFrame: (frame: PassedFrame) => void;
}

/** Passes everything on and tells of every frame. */
export class RecordingProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  /** On port 0: on any that is free. */
  static async listen(options: ProxyOptions): Promise<RecordingProxy> {
    const { rewrite } = options;
    if (rewrite && rewrite.from.length !== rewrite.to.length) throw new Error('a rewrite keeps the length');
    const proxy = new RecordingProxy(options);
    proxy.#server.listen(options.port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(options: ProxyOptions) {
    let connections = 0;
    this.#server = net.createServer({ noDelay: true }, client => this.#accept(client, options, connections++));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #accept(client: net.Socket, options: ProxyOptions, connection: number): void {
    const { link, rewrite, onFrame } = options;
    const [host, port] = options.to.split(':') as [string, string];
    const server = net.connect({ host, port: Number(port), noDelay: true });
    const up = new Cutter(bytes => {
      onFrame({ link, connection, direction: 'up', bytes });
      server.write(bytes);
    });
    const down = new Cutter(bytes => {
      onFrame({ link, connection, direction: 'down', bytes });
      client.write(
        rewrite ? Buffer.from(bytes.toString('latin1').replaceAll(rewrite.from, rewrite.to), 'latin1') : bytes,
      );
    });
    client.on('data', chunk => up.push(chunk));
    server.on('data', chunk => down.push(chunk));
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {}); // 'close' follows
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

/** What a header's first fields say. */
export function readFixedFields(frame: Buffer): { code: number; flag: number; opaque: number } {
  if (frame[4] === 1) {
    return { code: frame.readInt16BE(8), opaque: frame.readInt32BE(13), flag: frame.readInt32BE(17) };
  }
  const header = JSON.parse(frame.toString('utf8', 8, 8 + frame.readUIntBE(5, 3))) as Record<string, unknown>;
  return { code: Number(header.code), opaque: Number(header.opaque), flag: Number(header.flag) };
}

/** The first frame of every kind: requests by code, answers by the request's code and their own. */
export function selectFrames(passed: readonly PassedFrame[]): CapturedFrame[] {
  const asked = new Map<string, number>();
  const kept = new Map<string, CapturedFrame>();
  for (const { link, connection, direction, bytes } of passed) {
    const { code, flag, opaque } = readFixedFields(bytes);
    const isAnswer = (flag & 1) !== 0;
    const asker = `${link} ${connection} ${isAnswer === (direction === 'down') ? 'up' : 'down'} ${opaque}`;
    if (!isAnswer) asked.set(asker, code);
    const requestCode = isAnswer ? (asked.get(asker) ?? -1) : code;
    const pushed = isAnswer === (direction === 'up');
    const name = `${link} ${requestCode} ${isAnswer ? `answer ${code}` : 'request'}${pushed ? ' to the client' : ''}`;
    if (kept.has(name)) continue;
    kept.set(name, { name, link, kind: isAnswer ? 'answer' : 'request', requestCode, hex: bytes.toString('hex') });
  }
  return [...kept.values()];
}

const limitMs = 120_000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      java: { type: 'string', default: '4.9.7' },
      client: { type: 'string', default: '' },
      how: { type: 'string', default: '' },
      out: { type: 'string', default: 'vectors.json' },
    },
  });
  const launchers = javaLaunchers(values.java);
  if (typeof launchers === 'string') throw new Error(launchers);
  const folder = temporaryFolder();
  const passed: PassedFrame[] = [];
  const onFrame = (frame: PassedFrame) => passed.push(frame);
  const [brokerPort, brokerProxyPort, nameProxyPort] = [await freePort(), await freePort(), await freePort()];
  const nameServer = await startNameServer(launchers, folder);
  const rewrite = { from: `127.0.0.1:${brokerPort}`, to: `127.0.0.1:${brokerProxyPort}` };
  const nameProxy = await RecordingProxy.listen({
    link: 'name server',
    to: nameServer.address,
    port: nameProxyPort,
    rewrite,
    onFrame,
  });
  const broker = await startBroker(launchers, { nameServer: nameProxy.address, folder, port: brokerPort });
  const brokerProxy = await RecordingProxy.listen({
    link: 'broker',
    to: broker.address,
    port: brokerProxyPort,
    onFrame,
  });
  try {
    const [command = '', ...rest] = positionals.map(part => part.replace('{namesrv}', nameProxy.address));
    const client = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit'], timeout: limitMs });
    const [exitCode] = await once(client, 'exit');
    if (exitCode !== 0) throw new Error(`the client ended with ${exitCode}`);
  } finally {
    await broker.stop();
    await Promise.all([brokerProxy.close(), nameProxy.close()]);
    await nameServer.stop();
    removeFolder(folder);
  }
  const file: CaptureFile = {
    captured: {
      date: new Date().toISOString().slice(0, 10),
      client: values.client,
      server: `Java RocketMQ ${values.java}`,
      how: `${values.how}; recorded by tests/conformance/capture.ts between client and server`,
    },
    frames: selectFrames(passed),
  };
  fs.writeFileSync(values.out, `${JSON.stringify(file, null, 2)}\n`);
  console.log(`${passed.length} frames passed, ${file.frames.length} kept in ${values.out}`);
}

runAsProgram(import.meta.filename, main);
