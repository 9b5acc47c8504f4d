/** SQL92 expressions that Java judged. Source: vectors/sql-filter-java-4.9.7.json, made by sql-filter-capture.ts. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileSqlFilter, SqlExpressionError } from '../../protocol/sql-filter.js';
import { checkoutFolder } from '../support/node-process.js';
import type { SqlVectors } from './sql-filter-capture.js';

const conformance = suite('SQL92 filters as Java 4.9.7');

const file = path.join(checkoutFolder(), 'tests/conformance/vectors/sql-filter-java-4.9.7.json');
const { expressions } = JSON.parse(fs.readFileSync(file, 'utf8')) as SqlVectors;

conformance('there are expressions of every kind', () => {
  const all = expressions.flatMap(({ answers }) => answers?.map(([, answer]) => answer) ?? ['refused']);
  for (const kind of ['T', 'F', 'N', 'X', 'refused']) {
    assert.ok(all.filter(answer => answer === kind).length > 40, kind);
  }
});

conformance('what Java refuses is refused, and nothing else', () => {
  for (const { expression, answers } of expressions) {
    let refusal: unknown;
    try {
      compileSqlFilter(expression);
    } catch (error) {
      refusal = error;
    }
    const what = `${JSON.stringify(expression)} ${refusal}`;
    assert.is(refusal instanceof SqlExpressionError, answers === undefined, what);
    assert.is(refusal === undefined, answers !== undefined, what);
  }
});

conformance('every message is answered as Java answers', () => {
  for (const { expression, answers = [] } of expressions) {
    if (answers.length === 0) continue;
    const filter = compileSqlFilter(expression);
    for (const [properties, answer] of answers) {
      const bytes = new TextEncoder().encode(properties);
      const what = `${expression} of ${JSON.stringify(properties)}`;
      assert.is('FTNX'[filter.evaluate(bytes, 0, bytes.length)], answer, what);
      assert.is(filter.matches(bytes, 0, bytes.length), answer === 'T', what);
    }
  }
});

conformance.run();
