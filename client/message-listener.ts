/** What an application registers with a push consumer, and one run of it. */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import { messageOf } from '../runtime/base/errors.js';
import type { ErrorReporter } from './error-reporter.js';
import type { MessageExt } from './message-ext.js';
import type { ProcessQueue } from './process-queue.js';
import { consumeInSpan, isTracing } from './spans.js';
import {
  afterConsumeRecords,
  beforeConsumeRecords,
  ConsumeReturnType,
  type TracedConsumption,
  traceable,
} from './trace-data.js';
import type { TraceDispatcher } from './trace-dispatcher.js';
import { createUniqKey } from './unique-id.js';

/** RECONSUME_LATER: the messages come again, after a pause that grows, possibly at another member of the group. */
export type ConsumeConcurrentlyStatus = 'CONSUME_SUCCESS' | 'RECONSUME_LATER';

export interface ConsumeConcurrentlyContext {
  readonly messageQueue: MessageQueue;
  /** For RECONSUME_LATER: -1 for the dead letters at once, 0 for the broker's choice, 1 to 18 for that delay level. */
  delayLevelWhenNextConsume: number;
  /** For CONSUME_SUCCESS: index of the last message that was consumed; those after it come again. Default all. */
  ackIndex: number;
}

/**
 * Consumes messages, several calls at a time. Returning nothing is CONSUME_SUCCESS, throwing RECONSUME_LATER.
 */
export type MessageListenerConcurrently = (
  messages: readonly MessageExt[],
  context: ConsumeConcurrentlyContext,
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are meant
) => Promise<ConsumeConcurrentlyStatus | void>;

/**
 * SUSPEND_CURRENT_QUEUE_A_MOMENT: the same messages again, after a pause, and nothing of the queue meanwhile. COMMIT
 * and ROLLBACK are for a context whose `autoCommit` is false: they take or undo all since the last of them.
 */
export type ConsumeOrderlyStatus = 'SUCCESS' | 'SUSPEND_CURRENT_QUEUE_A_MOMENT' | 'COMMIT' | 'ROLLBACK';

export interface ConsumeOrderlyContext {
  readonly messageQueue: MessageQueue;
  /** false: SUCCESS does not move the offset, COMMIT does. Default true. */
  autoCommit: boolean;
  /** For SUSPEND_CURRENT_QUEUE_A_MOMENT and ROLLBACK; -1 for the consumer's setting. Units: ms. */
  suspendCurrentQueueTimeMs: number;
}

/**
 * Consumes the messages of each queue one call after the other, in their order. Returning nothing is SUCCESS, throwing
 * SUSPEND_CURRENT_QUEUE_A_MOMENT.
 */
export type MessageListenerOrderly = (
  messages: readonly MessageExt[],
  context: ConsumeOrderlyContext,
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are meant
) => Promise<ConsumeOrderlyStatus | void>;

export interface ListenerRunOptions {
  readonly consumerGroup: string;
  readonly consumeTimeoutMs: number;
  readonly trace: TraceDispatcher | undefined;
  readonly reportError: ErrorReporter;
}

/** How statuses of one kind of listener count. */
export interface StatusMeaning<Status extends string> {
  readonly success: Status;
  readonly failure: Status;
  readonly statuses: readonly Status[];
  readonly good: readonly Status[];
}

/** Calls a listener and says what came of it, to the trace as well. An exception is reported and counts as failure. */
export async function runListener<Status extends string>(
  options: ListenerRunOptions,
  queue: ProcessQueue,
  messages: readonly MessageExt[],
  meaning: StatusMeaning<Status>,
  // biome-ignore lint/suspicious/noConfusingVoidType: listeners may return nothing
  call: () => Promise<Status | void>,
): Promise<{ readonly status: Status; readonly costMs: number }> {
  const traced = startTrace(options, messages);
  const startMs = performance.now();
  const run = async (): Promise<Status> => (await call()) ?? meaning.success;
  const isGood = (outcome: Status): boolean => meaning.good.includes(outcome);
  let status: Status = meaning.failure;
  let returnType: ConsumeReturnType = ConsumeReturnType.EXCEPTION;
  try {
    status = await (isTracing() ? consumeInSpan(messages, { ...options, queue: queue.queue }, run, isGood) : run());
    if (!meaning.statuses.includes(status))
      throw new Error(`a listener returned ${String(status)}, which is no status`);
    returnType = isGood(status) ? ConsumeReturnType.SUCCESS : ConsumeReturnType.FAILED;
  } catch (error) {
    status = meaning.failure;
    options.reportError(error, `consuming ${messages.map(message => message.msgId).join(', ')} of ${queue.key}`);
  }
  const costMs = performance.now() - startMs;
  if (costMs >= options.consumeTimeoutMs) returnType = ConsumeReturnType.TIME_OUT;
  if (traced !== undefined) {
    const each = Math.round(costMs / messages.length);
    const records = afterConsumeRecords(traced, isGood(status), returnType, each);
    for (const record of records) options.trace?.append(record);
  }
  return { status, costMs };
}

function startTrace(options: ListenerRunOptions, all: readonly MessageExt[]): TracedConsumption | undefined {
  if (options.trace === undefined) return undefined;
  const messages = traceable(all);
  const { consumerGroup } = options;
  const traced = { consumerGroup, requestId: createUniqKey(), startTimestamp: Date.now(), messages };
  for (const record of beforeConsumeRecords(traced)) options.trace.append(record);
  return traced;
}

/** What a listener run at mqadmin's request came to. Source: ConsumeMessageDirectlyResult. */
export interface ConsumeMessageDirectlyResult {
  readonly order: boolean;
  readonly autoCommit: boolean;
  readonly consumeResult: 'CR_SUCCESS' | 'CR_LATER' | 'CR_ROLLBACK' | 'CR_COMMIT' | 'CR_THROW_EXCEPTION';
  readonly remark?: string;
  readonly spentTimeMills: number;
}

/** Runs a listener and says what came of it, exceptions too. `autoCommit` is what the listener left in its context. */
export async function consumeNow(
  order: boolean,
  autoCommit: () => boolean,
  call: () => Promise<ConsumeMessageDirectlyResult['consumeResult']>,
): Promise<ConsumeMessageDirectlyResult> {
  const startMs = performance.now();
  let outcome: Pick<ConsumeMessageDirectlyResult, 'consumeResult' | 'remark'>;
  try {
    outcome = { consumeResult: await call() };
  } catch (error) {
    outcome = { consumeResult: 'CR_THROW_EXCEPTION', remark: messageOf(error) };
  }
  return { order, autoCommit: autoCommit(), ...outcome, spentTimeMills: Math.round(performance.now() - startMs) };
}
