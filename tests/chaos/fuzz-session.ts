/** One connection of the fuzzer, and what all of them count together. */
import { once } from 'node:events';
import net from 'node:net';
import { messageOf } from '../../runtime/base/errors.js';
import { Prng } from '../../runtime/base/prng.js';
import { FrameMaker, type FuzzFrame } from './fuzz-frames.js';

const answerLimitMs = 5_000;
const faultsMax = 20;

/** What one run has counted, whatever connection it came from. */
export class Tally {
  frames = 0;
  connections = 0;
  closedByNode = 0;
  controlMessages = 0;
  readonly answers = new Map<number, number>();
  readonly nodeErrors = new Map<string, number>();
  readonly faults: string[] = [];

  fault(text: string): void {
    if (this.faults.length < faultsMax) this.faults.push(text);
  }

  get isOver(): boolean {
    return this.faults.length >= faultsMax;
  }
}

/** One connection that misbehaves: bursts of frames, each followed by waiting for the answers that are due. */
export class Session {
  readonly #tally: Tally;
  readonly #name: string;
  readonly #random: Prng;
  readonly #maker: FrameMaker;
  readonly #due = new Set<number>();
  readonly #silent = new Set<number>();
  readonly #recent: FuzzFrame[] = [];
  /** Damage was sent: the node may end the connection. */
  #mayClose = false;
  #leaving = false;
  #received: Buffer = Buffer.alloc(0);
  #onProgress: () => void = () => {};

  constructor(tally: Tally, seed: number, name: string) {
    this.#tally = tally;
    this.#name = name;
    this.#random = new Prng(seed);
    this.#maker = new FrameMaker(new Prng(seed ^ 0x5eed), seed, this.#random.oneIn(2));
  }

  async run(port: number, framesMax: number): Promise<void> {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', chunk => this.#onData(chunk));
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve(this.#onClose())));
    this.#tally.connections++;
    await Promise.race([once(socket, 'connect'), closed]);
    const frames = Math.min(framesMax, this.#random.between(1, 200));
    for (let sent = 0; sent < frames && !socket.destroyed; ) {
      const burst = Math.min(frames - sent, this.#random.between(1, 16));
      sent += burst;
      const isLast = await this.#sendBurst(socket, burst);
      if (!(await this.#answered(closed)) || isLast) break;
    }
    this.#leaving = true;
    if (this.#random.oneIn(2)) socket.destroy();
    else {
      socket.end();
      // A held pull may keep the node's side open; ours is not.
      socket.destroySoon();
    }
    await closed;
  }

  /** True when nothing can follow what was sent. */
  async #sendBurst(socket: net.Socket, burst: number): Promise<boolean> {
    for (let index = 0; index < burst && !socket.destroyed; index++) {
      const frame = this.#maker.next();
      this.#recent.push(frame);
      if (this.#recent.length > 24) this.#recent.shift();
      this.#tally.frames++;
      if (frame.expect === 'answer') this.#due.add(frame.opaque);
      else if (frame.expect === 'silence') this.#silent.add(frame.opaque);
      else if (frame.expect !== 'patience') this.#mayClose = true;
      await this.#write(socket, frame.bytes);
      if (frame.expect === 'last') return true;
    }
    return false;
  }

  /** Mostly whole, sometimes in pieces that arrive one after the other. */
  async #write(socket: net.Socket, bytes: Buffer): Promise<void> {
    if (!this.#random.oneIn(40)) {
      socket.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !socket.destroyed; ) {
      const size = this.#random.oneIn(3) ? 1 : this.#random.between(1, Math.max(1, bytes.length >> 2));
      socket.write(bytes.subarray(at, at + size));
      at += size;
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  /** Waits for what is due. False when the connection has ended, or the wait is over. */
  async #answered(closed: Promise<void>): Promise<boolean> {
    if (this.#due.size === 0) return true;
    let late: NodeJS.Timeout | undefined;
    const answered = new Promise<string>(resolve => {
      this.#onProgress = () => this.#due.size === 0 && resolve('answered');
      late = setTimeout(() => resolve('late'), answerLimitMs);
    });
    const outcome = await Promise.race([answered, closed.then(() => 'closed')]);
    clearTimeout(late);
    this.#onProgress = () => {};
    if (outcome === 'late') {
      this.#tally.fault(`${this.#name}: no answer in ${answerLimitMs} ms to ${this.#describeDue()}`);
    }
    return outcome === 'answered';
  }

  #onData(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const size = 4 + this.#received.readInt32BE(0);
      if (size < 8 || size > 20_000_000)
        return this.#tally.fault(`${this.#name}: the node sent a frame of ${size} bytes`);
      if (this.#received.length < size) break;
      this.#onFrame(this.#received.subarray(0, size));
      this.#received = this.#received.subarray(size);
    }
    this.#onProgress();
  }

  #onFrame(frame: Buffer): void {
    let code: number;
    let opaque: number;
    let flag: number;
    if (frame[4] === 1) {
      [code, opaque, flag] = [frame.readInt16BE(8), frame.readInt32BE(13), frame.readInt32BE(17)];
    } else {
      try {
        ({ code, opaque, flag } = JSON.parse(frame.toString('utf8', 8, 8 + frame.readUIntBE(5, 3))));
      } catch (error) {
        return this.#tally.fault(`${this.#name}: the node's header cannot be read: ${messageOf(error)}`);
      }
    }
    if ((flag & 1) === 0) return; // such as "the members have changed"
    this.#tally.answers.set(code, (this.#tally.answers.get(code) ?? 0) + 1);
    if (this.#due.delete(opaque)) return;
    // A damaged header may have any opaque, or no oneway flag any more.
    if (this.#silent.has(opaque) && !this.#mayClose) {
      this.#tally.fault(`${this.#name}: code ${code} answers what wants no answer: ${this.#describe(opaque)}`);
    }
  }

  #onClose(): void {
    if (this.#leaving) return;
    this.#tally.closedByNode++;
    if (this.#mayClose) return;
    this.#tally.fault(`${this.#name}: closed although all was well-formed: ${this.#describeRecent()}`);
  }

  #describe(opaque: number): string {
    const frame = this.#recent.find(candidate => candidate.opaque === opaque);
    return frame?.bytes.subarray(0, 400).toString('latin1') ?? `opaque ${opaque}`;
  }

  #describeDue(): string {
    return [...this.#due]
      .slice(0, 2)
      .map(opaque => this.#describe(opaque))
      .join(' and ');
  }

  #describeRecent(): string {
    return this.#recent
      .slice(-3)
      .map(({ bytes }) => bytes.subarray(0, 300).toString('latin1'))
      .join(' | ');
  }
}
