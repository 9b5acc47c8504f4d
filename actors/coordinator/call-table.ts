/**
 * What this broker asked of clients and waits for: one entry a call, gone when the answer, the deadline or the end of
 * the connection comes. Source: spec remoting 1.5, 4.3; NettyRemotingAbstract.responseTable.
 */
import type { RemotingCommand } from '../../protocol/command.js';

/** Calls in progress; more are refused. */
export const CALLS_MAX = 1024;
const OPAQUE_MASK = 0x7fff_ffff;

/** How a call ends without an answer. */
export type CallFailure = 'timeout' | 'closed' | 'too many calls';

interface Call {
  readonly connectionId: number;
  readonly deadlineMs: number;
  readonly end: (outcome: RemotingCommand | CallFailure) => void;
}

export class CallTable {
  readonly #calls = new Map<number, Call>();
  #opaque = 0;

  /** Opens a call: the number its request must carry, and its outcome. The opaque is -1 when there are too many. */
  open(
    connectionId: number,
    deadlineMs: number,
  ): { readonly opaque: number; readonly outcome: Promise<RemotingCommand | CallFailure> } {
    if (this.#calls.size >= CALLS_MAX) return { opaque: -1, outcome: Promise.resolve('too many calls') };
    this.#opaque = (this.#opaque + 1) & OPAQUE_MASK;
    const opaque = this.#opaque;
    const outcome = new Promise<RemotingCommand | CallFailure>(end =>
      this.#calls.set(opaque, { connectionId, deadlineMs, end }),
    );
    return { opaque, outcome };
  }

  /** Takes an answer. False when nobody waits for it on this connection. */
  answered(connectionId: number, response: RemotingCommand): boolean {
    const call = this.#calls.get(response.opaque);
    // A client can only answer what it was asked.
    if (call === undefined || call.connectionId !== connectionId) return false;
    this.#calls.delete(response.opaque);
    call.end(response);
    return true;
  }

  connectionClosed(connectionId: number): void {
    this.#endWhere(call => call.connectionId === connectionId, 'closed');
  }

  expire(nowMs: number): void {
    this.#endWhere(call => call.deadlineMs <= nowMs, 'timeout');
  }

  /** Units: ms since the epoch; Infinity when nothing is waited for. */
  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#calls.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  #endWhere(isOver: (call: Call) => boolean, failure: CallFailure): void {
    for (const [opaque, call] of this.#calls) {
      if (!isOver(call)) continue;
      this.#calls.delete(opaque);
      call.end(failure);
    }
  }
}
