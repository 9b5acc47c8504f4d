/**
 * The words of a filter expression, cut one at a time as the parser asks for them: what stands behind the end of an
 * expression is never looked at, as in Java. Cold. Source: SelectorParser.jj of 4.9.8.
 */
import { SqlExpressionError } from './error.js';

export type TokenKind = 'name' | 'keyword' | 'text' | 'decimal' | 'float' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; a keyword in capitals, a text without its quotes. */
  readonly text: string;
  /** Where it begins. */
  readonly offset: number;
  /** Where what follows it begins. */
  readonly end: number;
}

const keywords: ReadonlySet<string> = new Set(['NOT', 'AND', 'OR', 'BETWEEN', 'IN', 'TRUE', 'FALSE', 'NULL', 'IS']);

/** White space, comments to the end of a line that has an end, comments between slashes. */
const skipped = /(?:[ \t\n\r\f]|--[^\n\r]*(?:\r\n|\n|\r)|\/\*[^*]*\*+(?:[^*/][^*]*\*+)*\/)*/y;
const word = /[a-z_$][a-z0-9_$]*/iy;
const float = /(?:[0-9]+\.[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+)/iy;
/** `007` is three numbers, and only one of them does not begin with 0: so it is in Java. */
const decimal = /(?:0|[1-9][0-9]*l?)/iy;
const quoted = /'(?:''|[^'])*'/y;
const symbol = /<>|<=|>=|[=<>(),+-]/y;

/** The token that begins at or behind `from`. Errors: SqlExpressionError. */
export function readToken(expression: string, from: number): Token {
  const offset = from + (match(skipped, expression, from)?.length ?? 0);
  const token = (kind: TokenKind, raw: string, text = raw): Token => ({ kind, text, offset, end: offset + raw.length });
  if (offset >= expression.length) return token('end', '');
  const name = match(word, expression, offset);
  if (name !== undefined) {
    const upper = name.toUpperCase();
    return keywords.has(upper) ? token('keyword', name, upper) : token('name', name);
  }
  const fraction = match(float, expression, offset);
  if (fraction !== undefined) return token('float', fraction);
  const integer = match(decimal, expression, offset);
  if (integer !== undefined) return token('decimal', integer);
  const text = match(quoted, expression, offset);
  if (text !== undefined) return token('text', text, text.slice(1, -1).replaceAll("''", "'"));
  const sign = match(symbol, expression, offset);
  if (sign !== undefined) return token('symbol', sign);
  throw new SqlExpressionError(expression, offset, unreadable(expression, offset));
}

function match(pattern: RegExp, expression: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(expression)?.[0];
}

function unreadable(expression: string, offset: number): string {
  const character = String.fromCodePoint(expression.codePointAt(offset)!);
  if (character === "'") return 'the quote is never closed';
  if (expression.startsWith('/*', offset)) return 'the comment is never closed';
  return `${JSON.stringify(character)} is no part of an expression`;
}
