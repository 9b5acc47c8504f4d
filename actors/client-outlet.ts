/** What a room sends to clients through remoting, in order: what its ring does not take waits here. */
import type { Logger } from '../runtime/log/contract.js';
import type { Doorbell } from '../runtime/memory/doorbell.js';
import type { Ring } from '../runtime/memory/ring.js';
import { fitsRing } from './answer-frame.js';
import { OutboundFrame, OutboundType } from './remoting/mailbox.js';

interface Unsent {
  readonly connectionId: number;
  readonly frame: Uint8Array | undefined;
  readonly type: number;
}

const NOTHING = new Uint8Array(0);

export class ClientOutlet {
  readonly #toRemoting: Ring;
  readonly #remotingBell: Doorbell;
  readonly #log: Logger;
  readonly #unsent: Unsent[] = [];
  #sent = false;

  constructor(toRemoting: Ring, remotingBell: Doorbell, log: Logger) {
    this.#toRemoting = toRemoting;
    this.#remotingBell = remotingBell;
    this.#log = log;
  }

  /** Something waits for room. */
  get isWaiting(): boolean {
    return this.#unsent.length > 0;
  }

  /** Without a frame the connection is closed. `type`: FRAME, or SEND_REFUSED to give a permit back with it. */
  send(connectionId: number, frame: Uint8Array | undefined, type: number = OutboundType.FRAME): void {
    if (frame !== undefined && !fitsRing(frame, this.#toRemoting)) {
      this.#log.error({ bytes: frame.length }, 'what goes to a client is larger than can be sent: it is left out');
      // The permit goes back all the same.
      if (type === OutboundType.SEND_REFUSED) this.send(connectionId, NOTHING, type);
      return;
    }
    if (this.isWaiting || !this.#trySend(connectionId, frame, type)) {
      this.#unsent.push({ connectionId, frame, type });
    }
  }

  /** Gives the permit of a send back, whose sender wants no answer. */
  returnPermit(connectionId: number): void {
    this.send(connectionId, NOTHING, OutboundType.SEND_REFUSED);
  }

  /** Sends what waits; returns how much went. */
  retry(): number {
    let sent = 0;
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0], sent++) {
      if (!this.#trySend(first.connectionId, first.frame, first.type)) break;
      this.#unsent.shift();
    }
    return sent;
  }

  /** Wakes remoting when there is something new for it: once a duty cycle. */
  ringBell(): void {
    if (!this.#sent) return;
    this.#sent = false;
    this.#remotingBell.ring();
  }

  #trySend(connectionId: number, frame: Uint8Array | undefined, type: number): boolean {
    const ring = this.#toRemoting;
    const length = OutboundFrame.frameBytes + (frame?.length ?? 0);
    const at = ring.claim(length);
    if (at < 0) return false;
    ring.words[at >> 2] = connectionId;
    if (frame !== undefined) ring.bytes.set(frame, at + OutboundFrame.frameBytes);
    ring.commit(frame === undefined ? OutboundType.CLOSE : type, length);
    this.#sent = true;
    return true;
  }
}
