/** What a case of mqadmin is made of, and what may differ in many of them. */
import type { ClientCluster } from '../support/client-cluster.js';
import type { Difference, Mask } from '../support/mqadmin-output.js';
import type { ClusterWords } from './mqadmin-cluster.js';

/** One call of mqadmin. */
export interface MqadminRun {
  /** What has to happen first; gives more words. */
  readonly before?: (cluster: ClientCluster) => Promise<ClusterWords>;
  /** Words; `{name}` is a word of the cluster. `-n` is added. */
  readonly call: string;
  /** What was measured, or drawn by lot. */
  readonly masks?: readonly Mask[];
  readonly differences?: readonly Difference[];
  /** Lines come in the order of a hash table. */
  readonly anyOrder?: boolean;
  /** Only these lines are compared: the others are those of another run. */
  readonly only?: RegExp;
  /** Called again until the output has this: some news travels. */
  readonly until?: RegExp;
  /**
   * It runs for ever, in a program of its own, and says what it has to say in the log of its clients: until this is
   * there.
   */
  readonly logs?: RegExp;
  /** Interrupted when the output has this, a regular expression of Java: the command never ends by itself. */
  readonly endWhen?: string;
  /** A file that it writes and that counts as output. */
  readonly file?: string;
}

export interface MqadminCommand {
  readonly command: string;
  readonly works: boolean;
  readonly runs: readonly MqadminRun[];
  /** For the document. */
  readonly remark?: string;
}

export interface MqadminSection {
  readonly title: string;
  readonly commands: readonly MqadminCommand[];
}

/** A part of the output that may differ. */
export const mask = (what: string, find: RegExp, put: string): Mask => ({ what, find, put });

/** Values of `key : value` and `key = value` lines. */
export const valuesOf = (what: string, keys: string): Mask =>
  mask(what, new RegExp(`\\b(${keys.trim().replaceAll(/\s+/g, '|')})(\\s*[:=] ).*$`, 'gm'), `$1$2<${what}>`);

export const tps = mask('throughput', /\b\d+\.\d\d(?=\s|\()/g, '<tps>');
export const duration = mask('durations', /\b(rt|spentTimeMills)=\d+(ms)?|\b\d+ms\b/g, '$1<duration>');

export const transactionTopics = 'the topics of transactions are there from the start (in Java after a minute)';
export const transactionTopicNames = /RMQ_SYS_TRANS_(OP_)?HALF_TOPIC|TRANS_CHECK_MAX_TIME_TOPIC/;
