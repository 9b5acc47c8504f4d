/** Tag expressions, checked by text: the broker compares hashes only. Source: spec remoting 6.7; FilterAPI. */

/**
 * The tags of `a || b`; undefined when the expression takes every message (`*` or nothing).
 *
 * @example
 * parseTags('created || paid'); // Set { 'created', 'paid' }
 */
export function parseTags(subExpression: string): ReadonlySet<string> | undefined {
  const expression = subExpression.trim();
  if (expression === '' || expression === '*') return undefined;
  const tags = expression
    .split('||')
    .map(tag => tag.trim())
    .filter(tag => tag !== '');
  return new Set(tags);
}

/** A message without a tag matches no set of tags. */
export function matchesTags(tags: ReadonlySet<string> | undefined, tag: string | undefined): boolean {
  return tags === undefined || (tag !== undefined && tags.has(tag));
}
