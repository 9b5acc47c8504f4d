/**
 * What happens to a pull that waits: it is looked at again when its queue grew, when remoting has room, and at its
 * deadline. Source: spec remoting 6.4; PullRequestHoldService.
 */
import { ResponseCode } from '../../protocol/codes.js';
import { createResponse, encodeCommand } from '../../protocol/command.js';
import { AssertionError } from '../../runtime/base/assert.js';
import { messageOf } from '../../runtime/base/errors.js';
import type { Logger } from '../../runtime/log/contract.js';
import { Counter, type Counters } from '../../runtime/memory/counters.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { QueueTable } from '../queue-table.js';
import type { PullAnswers } from './answers.js';
import type { Fetcher } from './fetcher.js';
import { type HeldPull, HoldTable } from './hold-table.js';
import type { PullRefusal } from './subscription-rules.js';

/** A pull that passed over messages says so after this time, so that its group is seen to go on. Units: ms. */
const PASSED_OVER_MS = 5000;

export interface HeldPullsOptions {
  readonly table: QueueTable;
  readonly counters: Counters;
  readonly log: Logger;
  /** Units: ms since the epoch. */
  readonly nowMs: () => number;
  /** Where `fetch` leaves what it found. */
  readonly fetcher: Fetcher;
  readonly answers: PullAnswers;
  readonly fetch: (pull: HeldPull) => void;
  /** Why it may not read any more, since it was held; undefined when it may. */
  readonly refusal: (pull: HeldPull) => PullRefusal | undefined;
}

export class HeldPulls {
  readonly #options: HeldPullsOptions;
  readonly #holds = new HoldTable();
  /** Held pulls whose answer remoting had no room for. */
  readonly #roomless = new Set<HeldPull>();

  constructor(options: HeldPullsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#holds.size;
  }

  /** An answer is there and waits for room. */
  get isRetrying(): boolean {
    return this.#roomless.size > 0;
  }

  /** Units: ms since the epoch; Infinity when nothing is held. */
  nextDeadlineMs(): number {
    return this.#holds.nextDeadlineMs();
  }

  /** Holds a pull, unless something came between looking and saying that somebody waits. */
  hold(pull: HeldPull): void {
    const { table, counters } = this.#options;
    table.addWaiting(pull.queueNumber, 1);
    this.#holds.add(pull);
    counters.add(Counter.pullsHeld);
    if (table.max(pull.queueNumber) > pull.offset) this.#look(pull);
  }

  /** Looks at the pulls of all queues whose numbers the dispatcher sent. */
  drainGrown(grown: Ring): number {
    let work = 0;
    for (let at = grown.poll(); at >= 0; at = grown.poll(), work++) {
      for (const pull of this.#holds.of(grown.words[at >> 2]!)) this.#look(pull);
      grown.release();
    }
    if (work > 0) grown.publishReleased();
    return work;
  }

  #look(pull: HeldPull): void {
    if (!this.#reopen(pull, false)) this.#roomless.add(pull);
  }

  /** Tries again what remoting had no room for. */
  retry(): number {
    let work = 0;
    for (const pull of this.#roomless) {
      if (!pull.done && !this.#reopen(pull, false)) break;
      this.#roomless.delete(pull);
      work++;
    }
    return work;
  }

  /** Answers all with what there is now; those that remoting has no room for go with the next call. */
  answerAll(): number {
    return this.answerExpired(Number.POSITIVE_INFINITY);
  }

  answerExpired(nowMs: number): number {
    let work = 0;
    for (let pull = this.#holds.expired(nowMs); pull !== undefined; work++) {
      if (!this.#reopen(pull, true)) break;
      pull = this.#holds.expired(nowMs);
    }
    return work;
  }

  /**
   * Looks again for a held pull; messages that do not match do not wake it, its deadline does. False when remoting has
   * no room.
   */
  #reopen(pull: HeldPull, expired: boolean): boolean {
    const { fetch, refusal, log } = this.#options;
    try {
      // Its members may have left: messages would be read, and counted, for nobody.
      const refused = refusal(pull);
      if (refused !== undefined) return this.#refuse(pull, refused);
      fetch(pull);
      return this.#answer(pull, expired);
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      log.error({ err: error }, 'a held pull failed');
      return this.#refuse(pull, { code: ResponseCode.SYSTEM_ERROR, remark: messageOf(error) });
    }
  }

  #refuse(pull: HeldPull, { code, remark }: PullRefusal): boolean {
    const frame = encodeCommand(createResponse(pull, code, remark));
    return this.#options.answers.frame(pull.connectionId, frame) && this.#letGo(pull);
  }

  #answer(pull: HeldPull, expired: boolean): boolean {
    const { fetcher, answers } = this.#options;
    const { outcome } = fetcher;
    if (!expired) {
      if (outcome.code === ResponseCode.PULL_NOT_FOUND) return true;
      // More than one look can take stands behind: its client goes on from there.
      const lookedAtAll = outcome.nextBeginOffset >= outcome.maxOffset;
      if (outcome.code === ResponseCode.PULL_RETRY_IMMEDIATELY && lookedAtAll) {
        this.#passOver(pull, outcome.nextBeginOffset);
        return true;
      }
    }
    const { connectionId, opaque, serializeType, topic, group } = pull;
    return answers.found(fetcher, connectionId, opaque, serializeType, topic.name, group) && this.#letGo(pull);
  }

  /** Holds it on behind messages that do not match, no longer than brokers of Java would. */
  #passOver(pull: HeldPull, offset: number): void {
    pull.offset = offset;
    const deadlineMs = this.#options.nowMs() + PASSED_OVER_MS;
    if (pull.passedOver || pull.deadlineMs <= deadlineMs) return;
    this.#holds.remove(pull);
    this.#holds.add({ ...pull, deadlineMs, passedOver: true, done: false });
  }

  #letGo(pull: HeldPull): true {
    this.#holds.remove(pull);
    this.#options.table.addWaiting(pull.queueNumber, -1);
    return true;
  }
}
