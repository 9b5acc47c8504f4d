/** Filters by their expression, so that a consumer's is parsed once and not for every pull. */
import { ResponseCode } from '../../protocol/codes.js';
import { parseTagExpression, type TagFilter } from '../../protocol/tag-filter.js';
import type { PullRefusal } from './subscription-rules.js';

const SIZE_MAX = 4096;

export class FilterCache {
  readonly #filters = new Map<string, TagFilter>();

  /** `type`: '' or TAG. Errors: a refusal with RocketMQ's code for what cannot be filtered by. */
  parse(type: string, expression: string): TagFilter | PullRefusal {
    if (type !== '' && type !== 'TAG') {
      const remark = `The broker does not support consumer to filter message by ${type}`;
      return { code: ResponseCode.SYSTEM_ERROR, remark };
    }
    const cached = this.#filters.get(expression);
    if (cached !== undefined) return cached;
    const filter = parseTagExpression(expression);
    if (filter === undefined) {
      const remark = `parse the consumer's subscription failed: "${expression}" names no tag`;
      return { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark };
    }
    if (this.#filters.size >= SIZE_MAX) this.#filters.clear();
    this.#filters.set(expression, filter);
    return filter;
  }
}
