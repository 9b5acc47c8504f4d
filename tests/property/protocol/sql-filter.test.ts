/** Filters against a second opinion, and against garbage. Source: rocketmq 4.9.8 filter module. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatProperties } from '../../../protocol/message-record.js';
import {
  compileSqlFilter,
  parseSqlExpression,
  SqlExpressionError,
  type SqlFilter,
} from '../../../protocol/sql-filter.js';
import { anyCondition, anyProperties, judge, propertyNames, writeCondition } from '../../support/sql-expressions.js';
import { anyText, seeded } from './generators.js';

const filters = suite('protocol/sql-filter');

const encoder = new TextEncoder();

function evaluate(filter: SqlFilter, properties: ReadonlyMap<string, string>): string {
  const bytes = encoder.encode(`before\u0002${formatProperties(properties)}\u0002after\u0001x`);
  return 'FTNX'[filter.evaluate(bytes, 'before\u0002'.length, bytes.length - '\u0002after\u0001x'.length)]!;
}

filters('every expression is worth what the second opinion says', () => {
  fc.assert(
    fc.property(anyCondition, fc.array(anyProperties, { minLength: 1, maxLength: 5 }), (condition, messages) => {
      const expression = writeCondition(condition);
      const filter = compileSqlFilter(expression);
      for (const properties of messages) {
        const what = `${expression} of ${JSON.stringify([...properties])}`;
        assert.is(evaluate(filter, properties), judge(condition, properties), what);
      }
    }),
    { ...seeded, numRuns: 2000 },
  );
});

filters('the drawn cases reach all answers', () => {
  const answers = new Map<string, number>();
  const drawn = fc.sample(fc.tuple(anyCondition, anyProperties), { seed: 1, numRuns: 2000 });
  for (const [condition, properties] of drawn) {
    const answer = judge(condition, properties);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  for (const answer of 'TFNX') assert.ok((answers.get(answer) ?? 0) > 100, `${answer}: ${answers.get(answer)}`);
});

/** Words of the grammar in any order: nearer to an expression than text. */
const words = fc
  .array(
    fc.constantFrom(
      ...[
        'NOT',
        'AND',
        'OR',
        'BETWEEN',
        'IN',
        'IS',
        'NULL',
        'TRUE',
        'contains',
        '=',
        '<>',
        '<',
        '>=',
        '(',
        ')',
        ',',
        '+',
        '-',
      ],
      ...["'x'", "'", '5', '5000000000', '.5', '1e400', '--', '/*', '*/', '\n', '#', ...propertyNames],
    ),
    { maxLength: 12 },
  )
  .map(parts => parts.join(' '));

filters('garbage is refused with the place and a reason, and nothing else happens', () => {
  fc.assert(
    fc.property(
      fc.oneof(words, anyText, fc.string({ unit: 'binary', maxLength: 30 })),
      anyProperties,
      (garbage, properties) => {
        try {
          parseSqlExpression(garbage);
        } catch (error) {
          assert.instance(error, SqlExpressionError);
          const { line, column, message, offset } = error as SqlExpressionError;
          assert.ok(message.startsWith(`line ${line}, column ${column}: `) && offset <= garbage.length, message);
          return;
        }
        assert.match('FTNX', evaluate(compileSqlFilter(garbage), properties));
      },
    ),
    { ...seeded, numRuns: 5000 },
  );
});

filters('a cut expression is refused or is another expression', () => {
  fc.assert(
    fc.property(anyCondition, fc.nat(), (condition, cut) => {
      const expression = writeCondition(condition);
      try {
        compileSqlFilter(expression.slice(0, cut % (expression.length + 1)));
      } catch (error) {
        assert.instance(error, SqlExpressionError);
      }
    }),
    { ...seeded, numRuns: 2000 },
  );
});

filters('properties that are no properties harm nobody', () => {
  const filter = compileSqlFilter("a > 5 OR b = TRUE OR _c IN ('x') OR d = 5000000000 OR e > f");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      assert.ok(filter.evaluate(bytes, 0, bytes.length) <= 3);
    }),
    { ...seeded, numRuns: 2000 },
  );
});

filters.run();
