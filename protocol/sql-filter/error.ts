/** Why an expression is none, and where. */

/**
 * What is wrong with a filter expression: the only thing that parsing one throws.
 *
 * @example
 * new SqlExpressionError('a == 1', 3, 'expected a value, found "="').message; // line 1, column 4: expected a value, …
 */
export class SqlExpressionError extends Error {
  override readonly name = 'SqlExpressionError';
  /** Units: UTF-16 code units from the start of the expression. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1. Units: UTF-16 code units. */
  readonly column: number;

  constructor(expression: string, offset: number, reason: string) {
    const before = expression.slice(0, offset);
    const lines = before.split(/\r\n|\n|\r/);
    const column = lines.at(-1)!.length + 1;
    super(`line ${lines.length}, column ${column}: ${reason}`);
    this.offset = offset;
    this.line = lines.length;
    this.column = column;
  }
}
