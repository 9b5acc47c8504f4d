/**
 * A connection for load: whole prepared frames out, raw frames in, what one turn of the event loop has to say in one
 * write. A client with a request table and decoded headers would be the bottleneck.
 */
import net from 'node:net';

export type OnFrame = (frame: Buffer) => void;

const RECEIVE_BYTES = 512 * 1024;
/** All connections read into it: what is in there is used up, or copied, before the next one reads. */
const received = Buffer.allocUnsafe(RECEIVE_BYTES);

export class LoadConnection {
  readonly #onFrame: OnFrame;
  readonly #onLost: (error: Error) => void;
  #socket: net.Socket | undefined;
  #rest: Buffer | undefined;
  #pending: Uint8Array[] = [];
  #closing = false;

  private constructor(onFrame: OnFrame, onLost: (error: Error) => void) {
    this.#onFrame = onFrame;
    this.#onLost = onLost;
  }

  /** `onFrame` gets answers, which it must not keep. `onLost`: the connection ended by itself. */
  static connect(address: string, onFrame: OnFrame, onLost: (error: Error) => void): Promise<LoadConnection> {
    const connection = new LoadConnection(onFrame, onLost);
    const [host, port] = address.split(':') as [string, string];
    return new Promise((resolve, reject) => {
      const socket = net.connect({
        host,
        port: Number(port),
        noDelay: true,
        onread: { buffer: received, callback: size => connection.#onRead(size) },
      });
      connection.#socket = socket;
      socket.once('connect', () => resolve(connection));
      socket.on('error', error => {
        reject(error); // of no effect once it is connected
        connection.#lost(error);
      });
      socket.on('close', () => connection.#lost(new Error(`${address} closed the connection`)));
    });
  }

  /** Leaves with all others of this turn. The frame must not change until then. */
  write(frame: Uint8Array): void {
    if (this.#pending.push(frame) === 1) queueMicrotask(this.#flush);
  }

  close(): void {
    this.#closing = true;
    this.#socket!.destroy();
  }

  readonly #flush = (): void => {
    const pending = this.#pending;
    this.#pending = [];
    this.#socket!.write(pending.length === 1 ? pending[0]! : Buffer.concat(pending));
  };

  #lost(error: Error): void {
    if (!this.#closing) this.#onLost(error);
    this.#closing = true;
  }

  #onRead(size: number): boolean {
    let bytes = received.subarray(0, size);
    if (this.#rest !== undefined) bytes = Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at);
      if (end > bytes.length) break;
      this.#onFrame(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined;
    return true;
  }
}
