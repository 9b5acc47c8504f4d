/** What our client has to do with any broker. Each scenario says what it needs of it. */
import type { MessageExt, PushConsumer } from '../../client/index.js';
import type { ClientCluster } from './client-cluster.js';

/** What a broker may or may not serve yet. */
export type BrokerFeature =
  | 'consume'
  | 'retry'
  | 'lock'
  | 'delay'
  | 'transaction'
  /** Asking producers how a transaction ended. */
  | 'check'
  | 'reply'
  | 'sql92'
  | 'admin';

export interface ClientScenario {
  readonly title: string;
  readonly needs: readonly BrokerFeature[];
  readonly run: (cluster: ClientCluster) => Promise<void>;
}

export const texts = (messages: readonly MessageExt[]): string[] => messages.map(message => message.bodyText);
export const sorted = (values: readonly string[]): string[] => [...values].sort();
export const range = (count: number, prefix = ''): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

/** A consumer that keeps what it gets. */
export function collector(consumer: PushConsumer): MessageExt[] {
  const got: MessageExt[] = [];
  consumer.consumeConcurrently(async messages => {
    got.push(...messages);
  });
  return got;
}
