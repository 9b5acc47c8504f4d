/** What both ways of consumption have in common. Source: ConsumeMessageService. */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';
import type { ConsumerStats } from './consumer-stats.js';
import type { MessageBack } from './message-back.js';
import type { MessageExt } from './message-ext.js';
import type { ConsumeMessageDirectlyResult, ListenerRunOptions } from './message-listener.js';
import type { OffsetStore } from './offset-store.js';
import type { ProcessQueue } from './process-queue.js';
import type { PushConsumerSettings } from './push-consumer-options.js';
import type { TraceDispatcher } from './trace-dispatcher.js';

/** Calls the listener of a consumer with what its queues hold. */
export interface ConsumeService {
  readonly order: boolean;
  start(): void;
  /** Messages were put into a queue. */
  submit(queue: ProcessQueue, messages: readonly MessageExt[]): void;
  /** Calls the listener at once, for a message that came from elsewhere; offsets stay as they are. */
  consumeDirectly(message: MessageExt, queue: MessageQueue): Promise<ConsumeMessageDirectlyResult>;
  /** Calls no more listeners and waits for those that run; false when one still does after `limitMs`. */
  stop(limitMs: number): Promise<boolean>;
}

/** What a consumption works with. */
export interface ConsumerTools {
  readonly consumerGroup: string;
  readonly settings: PushConsumerSettings;
  readonly offsets: OffsetStore;
  readonly stats: ConsumerStats;
  readonly trace: TraceDispatcher | undefined;
  readonly messageBack: MessageBack;
  /** The queues this consumer has now. */
  readonly assigned: () => Iterable<ProcessQueue>;
}

export function runOptionsOf(tools: ConsumerTools): ListenerRunOptions {
  const { consumerGroup, settings, trace } = tools;
  return { consumerGroup, consumeTimeoutMs: settings.consumeTimeoutMs, trace, reportError: settings.onError };
}
