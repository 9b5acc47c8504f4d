/**
 * What can be wrong with a configuration, each with its place, and the one error that reports all of it.
 */

import { RingError } from '../runtime/base/errors.js';

/** Where a value comes from, from strongest to weakest; `derived` is worked out from other keys. */
export type ConfigSource = 'update' | 'set' | 'file' | 'environment' | 'derived' | 'default';

/** Where a value was given. */
export interface Origin {
  readonly source: ConfigSource;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
}

/** One remark on one key. */
export interface ConfigIssue extends Origin {
  /** As it was written; empty when the remark is about the file as a whole. */
  readonly key: string;
  readonly value: string;
  /** What would have been right, as "one of A, B"; absent for a warning that is not about the value. */
  readonly allowed?: string;
  readonly message: string;
}

const places: Record<ConfigSource, string> = {
  update: 'update',
  set: 'command line',
  file: 'file',
  environment: 'environment',
  derived: 'derived',
  default: 'default',
};

/** One line, as `broker.properties:12: flushDiskType=SYNC: must be one of ASYNC_FLUSH, SYNC_FLUSH`. */
export function formatIssue(issue: ConfigIssue): string {
  const place = issue.file ?? places[issue.source];
  const line = issue.line === undefined ? '' : `:${issue.line}`;
  const subject = issue.key === '' ? '' : ` ${issue.key}=${issue.value}:`;
  return `${place}${line}:${subject} ${issue.message}`;
}

/**
 * Everything that is wrong with a configuration, at once: `message` has one line per issue.
 *
 * Errors: code CONFIG_INVALID.
 */
export class ConfigError extends RingError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], options?: { cause?: unknown }) {
    super('CONFIG_INVALID', issues.map(formatIssue).join('\n'), { issues }, options);
    this.issues = issues;
  }
}
