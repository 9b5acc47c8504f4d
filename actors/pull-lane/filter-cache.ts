/** Filters by their expression, so that a consumer's is parsed once and not for every pull. */
import { ResponseCode } from '../../protocol/codes.js';
import { compileSqlFilter, SqlExpressionError, type SqlFilter } from '../../protocol/sql-filter.js';
import { parseTagExpression } from '../../protocol/tag-filter.js';
import { type MessageFilter, sqlMessageFilter } from './message-filter.js';
import type { PullRefusal } from './subscription-rules.js';

const COUNT_MAX = 4096;
/** Of all expressions together; a compiled one takes some ten times its text. Units: UTF-16 code units. */
const LENGTH_MAX = 1024 * 1024;

export class FilterCache {
  readonly #tags = new Map<string, MessageFilter>();
  readonly #sql = new Map<string, { readonly sql: SqlFilter; readonly filter: MessageFilter }>();
  #length = 0;

  /** Errors: a refusal with RocketMQ's code for what cannot be filtered by. */
  tags(expression: string): MessageFilter | PullRefusal {
    const cached = this.#tags.get(expression);
    if (cached !== undefined) return cached;
    const filter = parseTagExpression(expression);
    if (filter === undefined) return parseFailed(`"${expression}" names no tag`);
    this.#makeRoom(expression);
    this.#tags.set(expression, filter);
    return filter;
  }

  /** `type`: anything but '' and TAG. Errors: as {@link tags}. */
  expression(type: string, expression: string): MessageFilter | PullRefusal {
    const found = this.#compile(type, expression);
    return 'code' in found ? found : found.filter;
  }

  /** The same as a bare filter; undefined when it is none. */
  sql(type: string, expression: string): SqlFilter | undefined {
    const found = this.#compile(type, expression);
    return 'code' in found ? undefined : found.sql;
  }

  #compile(type: string, expression: string): { sql: SqlFilter; filter: MessageFilter } | PullRefusal {
    if (type !== 'SQL92') return parseFailed(`there are no expressions of type ${type}`);
    const cached = this.#sql.get(expression);
    if (cached !== undefined) return cached;
    try {
      const sql = compileSqlFilter(expression);
      const compiled = { sql, filter: sqlMessageFilter(sql) };
      this.#makeRoom(expression);
      this.#sql.set(expression, compiled);
      return compiled;
    } catch (error) {
      if (!(error instanceof SqlExpressionError)) throw error;
      return parseFailed(error.message);
    }
  }

  /** Who fills it with expressions of no use makes all others be parsed again, no more. */
  #makeRoom(expression: string): void {
    this.#length += expression.length;
    if (this.#tags.size + this.#sql.size < COUNT_MAX && this.#length <= LENGTH_MAX) return;
    this.#tags.clear();
    this.#sql.clear();
    this.#length = expression.length;
  }
}

/** Java says no more than the first half. */
export function parseFailed(reason: string): PullRefusal {
  return {
    code: ResponseCode.SUBSCRIPTION_PARSE_FAILED,
    remark: `parse the consumer's subscription failed: ${reason}`,
  };
}
