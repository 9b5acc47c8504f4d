/**
 * What the transaction checker wants of the coordinator: how far half messages are checked, and producers to ask.
 * Source: spec transaction 6, 7; TransactionalMessageBridge, ProducerManager.getAvailableChannel.
 */
import { RequestCode } from '../../protocol/codes.js';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANSACTION_GROUP } from '../../protocol/topic-names.js';
import type { Ring } from '../../runtime/memory/ring.js';
import type { TransactionProgress } from '../transaction-checker/mailbox.js';
import { TransactionQuestion, type TransactionQuestionHead } from './mailbox.js';
import type { CoordinatorState } from './state.js';

/** That nobody of a group is there to be asked is said once in this time. Units: ms. */
const SAY_AGAIN_MS = 60_000;

const decoder = new TextDecoder();

/** What is committed for the queues of half messages, by queue id. */
export function transactionProgress({ topics, offsets }: CoordinatorState): TransactionProgress[] {
  const queues = topics.get(HALF_TOPIC)?.readQueueNums ?? 0;
  return Array.from({ length: queues }, (_, queueId) => ({
    half: offsets.query(TRANSACTION_GROUP, HALF_TOPIC, queueId),
    op: offsets.query(TRANSACTION_GROUP, OP_HALF_TOPIC, queueId),
  }));
}

/** Asks producers, those of a group in turn. */
export class TransactionQuestions {
  #turn = 0;
  /** When a group was last found without producers. */
  readonly #saidMs = new Map<string, number>();

  /** Passes on the question at `at`; nobody there means that it is asked again with the next check. */
  ask(state: CoordinatorState, ring: Ring, at: number): void {
    const word = at >> 2;
    const headEnd = at + TransactionQuestion.headBytes + ring.words[word + TransactionQuestion.headSize]!;
    const head = decoder.decode(ring.bytes.slice(at + TransactionQuestion.headBytes, headEnd));
    const { group, fields } = JSON.parse(head) as TransactionQuestionHead;
    const members = [...(state.clients.producerGroup(group)?.keys() ?? [])];
    if (members.length === 0) return this.#sayNobody(state, group);
    const message = ring.bytes.slice(headEnd, headEnd + ring.words[word + TransactionQuestion.messageSize]!);
    const connectionId = members[this.#turn++ % members.length]!;
    state.push(connectionId, RequestCode.CHECK_TRANSACTION_STATE, fields, message);
  }

  #sayNobody({ nowMs, log }: CoordinatorState, group: string): void {
    for (const [known, saidMs] of this.#saidMs) if (nowMs - saidMs >= SAY_AGAIN_MS) this.#saidMs.delete(known);
    if (this.#saidMs.has(group)) return;
    this.#saidMs.set(group, nowMs);
    log.warn({ group }, 'no producer of the group is there to be asked about its transactions; asked again later');
  }
}
