/** A connection without a socket: it only remembers what it was told. */

import type { Remoting } from '../../../../actors/remoting/actor.js';
import type { Connection } from '../../../../actors/remoting/connection.js';
import { decodeCommand, type RemotingCommand } from '../../../../protocol/command.js';

export class FakeConnection {
  /** What came and was not taken yet. */
  readonly answers: RemotingCommand[] = [];
  readonly id: number;
  readonly listener: number;
  readonly peerAddress = 0x0a000001;
  readonly peerPort = 555;
  readonly remoteAddress = '10.0.0.1:555';
  lastActiveMs = 0;
  closed = false;
  dirty = false;
  reason = '';
  #out = new Uint8Array(64 * 1024);
  #length = 0;
  readonly #remoting: Remoting;

  constructor(id: number, listener: number, remoting: Remoting) {
    this.id = id;
    this.listener = listener;
    this.#remoting = remoting;
  }

  /** A connection that `remoting` accepted. Errors: Error when it refused. */
  static connect(remoting: Remoting, listener = 0, nowMs = 0): FakeConnection {
    let made: FakeConnection | undefined;
    const taken = remoting.accept(id => {
      made = new FakeConnection(id, listener, remoting);
      made.lastActiveMs = nowMs;
      return made as unknown as Connection;
    });
    if (!taken || made === undefined) throw new Error('refused');
    return made;
  }

  /** A frame comes in, somewhere in a larger buffer as from a socket. */
  receive(frame: Uint8Array): void {
    const bytes = new Uint8Array(frame.length + 20).fill(0xee);
    bytes.set(frame, 7);
    const taken = this.#remoting.onFrame(this as unknown as Connection, bytes, 7, frame.length);
    if (!taken) this.#untaken = frame;
  }

  sendLane = -1;
  sendsUnsettled = 0;
  #untaken: Uint8Array | undefined;

  /** A frame waits because it was not taken. */
  get paused(): boolean {
    return this.#untaken !== undefined;
  }

  resume(): void {
    const frame = this.#untaken;
    this.#untaken = undefined;
    if (frame !== undefined) this.receive(frame);
  }

  readonly givenBack: Uint8Array[] = [];

  giveBack(frame: Uint8Array): void {
    this.givenBack.push(frame);
  }

  reserve(size: number): number {
    const needed = this.#length + size;
    if (needed > this.#out.length) {
      const grown = new Uint8Array(Math.max(needed, this.#out.length * 2));
      grown.set(this.#out);
      this.#out = grown;
    }
    return this.#length;
  }

  get outBytes(): Uint8Array {
    return this.#out;
  }

  reserved(end: number): void {
    this.#length = end;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    const at = this.reserve(end - start);
    this.#out.set(bytes.subarray(start, end), at);
    this.#length += end - start;
  }

  flush(): void {
    for (let at = 0; at < this.#length; ) {
      const size = 4 + new DataView(this.#out.buffer).getInt32(at);
      this.answers.push(decodeCommand(this.#out.slice(at, at + size)));
      at += size;
    }
    this.#length = 0;
  }

  cause = 'asked';

  close(reason: string, cause = 'asked'): void {
    if (!this.closed) this.cause = cause;
    if (this.closed) return;
    this.closed = true;
    this.reason = reason;
    this.#remoting.onClosed(this as unknown as Connection, reason);
  }
}
