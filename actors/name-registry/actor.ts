/**
 * Room card: name registry
 *
 * Purpose   the name server: which brokers there are and which topics they serve.
 * Thread    an event loop.
 * Reads     requests and closed connections from remoting.
 * Writes    answers to remoting; the key-value file.
 * When full an answer that remoting has no room for is kept; requests then stay in their ring.
 * Fails     a broken assertion ends the node; its state comes back with the brokers' next registrations.
 */
import { CommandFlag } from '../../protocol/codes.js';
import { decodeCommand, isOneway, type RemotingCommand } from '../../protocol/command.js';
import { formatIpv4 } from '../../protocol/message-id.js';
import type { Actor } from '../../runtime/actor/contract.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';
import { encodeAnswer } from '../answer-frame.js';
import { InboundFrame, InboundType } from '../inbound.js';
import { OutboundFrame, OutboundType } from '../remoting/mailbox.js';
import { NameRegistry, type NameRegistryEffects, type NameRegistryOptions } from './behaviour.js';

export interface NameRegistryActorOptions {
  readonly fromRemoting: Ring;
  readonly toRemoting: Ring;
  readonly remotingBell: Doorbell;
  readonly effects: Omit<NameRegistryEffects, 'closeConnection' | 'nowMs'>;
  readonly behaviour: NameRegistryOptions;
}

const BATCH_MAX = 256;
/** When a full ring is tried again, if nothing else happens. Units: ms. */
const RETRY_MS = 5;
/** Source: spec remoting 9.6. */
const EXPIRY_SCAN_MS = 10_000;

export class NameRegistryActor implements Actor {
  readonly name = 'name-registry';
  readonly #options: NameRegistryActorOptions;
  readonly #registry: NameRegistry;
  #unsent: { connectionId: number; frame: Uint8Array } | undefined;
  #nowMs = 0;
  #scanMs = 0;
  #answered = false;

  /** Errors: RingError CONFIG_INVALID when the key-value file cannot be read. */
  constructor(options: NameRegistryActorOptions) {
    this.#options = options;
    const effects: NameRegistryEffects = {
      ...options.effects,
      nowMs: () => this.#nowMs,
      closeConnection: connectionId => this.#closeConnection(connectionId),
    };
    this.#registry = new NameRegistry(effects, options.behaviour);
  }

  doWork(nowMs: number): number {
    this.#nowMs = nowMs;
    const { fromRemoting, remotingBell } = this.#options;
    let work = 0;
    if (this.#retryUnsent()) {
      for (let at = fromRemoting.poll(); at >= 0 && work < BATCH_MAX; at = fromRemoting.poll()) {
        this.#onRecord(fromRemoting, at);
        fromRemoting.release();
        work++;
        if (this.#unsent !== undefined) break;
      }
    }
    if (work > 0) fromRemoting.publishReleased();
    if (nowMs >= this.#scanMs) {
      this.#scanMs = nowMs + EXPIRY_SCAN_MS;
      this.#registry.scanNotActiveBrokers();
    }
    if (this.#answered) remotingBell.ring();
    this.#answered = false;
    return work;
  }

  deadlineMs(): number {
    return this.#unsent === undefined ? this.#scanMs : this.#nowMs + RETRY_MS;
  }

  close(): void {}

  #onRecord(ring: Ring, at: number): void {
    const word = at >> 2;
    const connectionId = ring.words[word + InboundFrame.connectionId]!;
    if (ring.type === InboundType.CLOSED) return this.#registry.connectionClosed(connectionId);
    const start = at + InboundFrame.frameBytes;
    let request: RemotingCommand;
    try {
      request = decodeCommand(ring.bytes.slice(start, start + ring.words[word + InboundFrame.frameSize]!));
    } catch {
      return this.#closeConnection(connectionId);
    }
    if ((request.flag & CommandFlag.RESPONSE) !== 0) return;
    const peer = `${formatIpv4(ring.words[word + InboundFrame.peerAddress]!)}:${ring.words[word + InboundFrame.peerPort]!}`;
    const response = this.#registry.handle(connectionId, peer, request);
    if (!isOneway(request)) this.#send(connectionId, encodeAnswer(request, response, this.#options.toRemoting));
  }

  #send(connectionId: number, frame: Uint8Array): void {
    const { toRemoting } = this.#options;
    const length = OutboundFrame.frameBytes + frame.length;
    const at = toRemoting.claim(length);
    if (at < 0) {
      this.#unsent = { connectionId, frame };
      return;
    }
    toRemoting.words[at >> 2] = connectionId;
    toRemoting.bytes.set(frame, at + OutboundFrame.frameBytes);
    toRemoting.commit(OutboundType.FRAME, length);
    this.#answered = true;
  }

  /** True when nothing is left to be sent. */
  #retryUnsent(): boolean {
    const unsent = this.#unsent;
    if (unsent === undefined) return true;
    this.#unsent = undefined;
    this.#send(unsent.connectionId, unsent.frame);
    return this.#unsent === undefined;
  }

  #closeConnection(connectionId: number): void {
    const { toRemoting } = this.#options;
    const at = toRemoting.claim(4);
    if (at < 0) return;
    toRemoting.words[at >> 2] = connectionId;
    toRemoting.commit(OutboundType.CLOSE, 4);
    this.#answered = true;
  }
}
