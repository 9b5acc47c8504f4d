/**
 * Makes `vectors/sql-filter-java-4.9.7.json`: asks Java's filter module about listed expressions and about drawn ones.
 *
 *   node dist/tests/conformance/sql-filter-capture.js --classpath CLASSPATH > FILE
 *
 * CLASSPATH holds the jars of a Java broker 4.9.7; Java compiles and runs SqlFilterAnswers.java by itself.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { formatProperties } from '../../protocol/message-record.js';
import { checkoutFolder } from '../support/node-process.js';
import { runAsProgram } from '../support/rig-arguments.js';
import { anyCondition, anyProperties, writeCondition } from '../support/sql-expressions.js';

export interface SqlVectors {
  readonly captured: { readonly date: string; readonly server: string; readonly how: string };
  /** Answers: T, F, N for unknown, X for an error; undefined when Java refuses the expression. */
  readonly expressions: readonly {
    readonly expression: string;
    readonly answers?: readonly (readonly [properties: string, answer: string])[];
  }[];
}

const messages = [
  '',
  'a\u00015\u0002b\u0001x',
  'a\u0001x\u0002b\u00015',
  'a\u0001true\u0002b\u0001true',
  'a\u00015000000000',
];

/** What somebody might write, right or wrong. */
const written = [
  ...['a = 5', 'a=5', 'a <> 5', 'a != 5', 'a == 5', '5 = a', 'a > 5', 'a >= 5', 'a < 5.5', 'a <= 5', 'a = b', 'a > b'],
  ...[
    "a = 'x'",
    "'x' = a",
    "a <> 'x'",
    "a > 'x'",
    "'x' < a",
    "a = 'it''s'",
    "a = 'it's'",
    "a = 'x",
    'a = "x"',
    '"a" = 5',
  ],
  ...['a = TRUE', 'TRUE = a', 'a = true', 'a <> FALSE', 'a > TRUE', 'TRUE = 5', '5 = TRUE', "TRUE = 'x'", "'x' = TRUE"],
  ...[
    'TRUE',
    'FALSE',
    'NULL',
    'NOT TRUE',
    'NOT NULL',
    'a',
    'NOT a',
    'not not a',
    '5',
    "'x'",
    '-5',
    '-a',
    '+a',
    'NOT 5',
  ],
  ...[
    'a IS NULL',
    'a IS NOT NULL',
    'a is null',
    'a IS 5',
    'a IS NOT 5',
    'a IS',
    '5 IS NULL',
    'NULL IS NULL',
    'a = NULL',
  ],
  ...['a <> NULL', 'NULL = a', 'a > NULL', 'NOT a IS NULL', 'a IS NULL IS NULL', '(a) IS NULL', '-a IS NULL'],
  ...[
    "a IN ('x')",
    "a IN ('x', '5')",
    "a NOT IN ('x')",
    "(a) IN ('x')",
    'a IN (5)',
    'a IN ()',
    "a IN 'x'",
    "NOT a IN ('x')",
  ],
  ...["'x' IN ('x')", "a IN ('x',)", "a IN ('x' 'y')", "a IN ('q','r','s','t','u','5')", "a NOT 'x'", "a > 5 IN ('x')"],
  ...[
    'a BETWEEN 1 AND 9',
    'a NOT BETWEEN 1 AND 9',
    'a BETWEEN 9 AND 1',
    'a NOT BETWEEN 9 AND 1',
    'a BETWEEN -9 AND -10',
  ],
  ...[
    "a BETWEEN 'b' AND 'c'",
    "a BETWEEN 1 AND 'c'",
    'a BETWEEN NULL AND 5',
    'a BETWEEN 1 OR 9',
    'a BETWEEN 1',
    'a BETWEEN b AND b',
  ],
  ...[
    '5 BETWEEN a AND 9',
    'a BETWEEN 1 AND 9 AND b IS NULL',
    'a BETWEEN 5.0 AND 5',
    'a BETWEEN 5 AND 5.0',
    'a BETWEEN TRUE AND FALSE',
  ],
  ...[
    'a = 0',
    'a = 0.0',
    'a = 0L',
    'a = 007',
    'a = 5l',
    'a = 5.',
    'a = .5e1',
    'a = 5e0',
    'a = 5E',
    'a = 1e400',
    'a = 1E-400',
  ],
  ...[
    'a = 2147483648',
    'a = -2147483648',
    'a = 5000000000',
    'a > 4999999999.5',
    'a = 9223372036854775807',
    'a = 9223372036854775808',
  ],
  ...[
    'a = -9223372036854775808',
    'a = 0x5',
    'a = 5d',
    'a = -5',
    'a = --5',
    'a = - -5',
    'a = +5',
    'a = -(5)',
    'a > -b',
    '-(a = 5) IS NULL',
  ],
  ...[
    'a = 5 AND b = 5',
    'a = 5 OR b = 5',
    'b = 5 OR a = 5',
    'a > 1 AND b > 1',
    'b > 1 AND a > 1',
    'a = 5 AND',
    'AND a = 5',
    'a OR b',
  ],
  ...[
    'a = 5 OR b > 1 AND b < 3',
    '(a = 5 OR b > 1) AND b < 3',
    'a = b = TRUE',
    '(a = 5) = (b = 5)',
    'a = (b = 5)',
    '(b = 5) = a',
    '(a = 5) > 1',
  ],
  ...[
    'NOT a = 5',
    'NOT (a = 5)',
    'a > 1 > 0',
    'a = 5 = 5',
    '(a = 5',
    'a = 5)',
    '()',
    '(a)',
    '((a)) = 5',
    "((((((a = 'x'))))))",
  ],
  ...[
    '',
    ' ',
    '\t\n',
    'a',
    'A = 5',
    'a\t=\n5',
    'a = 5 -- to the end',
    '-- first\na = 5',
    'a /* in */ = /* between */ 5',
    'a = 5 /* open',
  ],
  ...[
    'a = 5 /**/',
    'a = 5 /***/ AND b IS NULL',
    'a = 5 ; b',
    'a = 5 garbage',
    "a LIKE 'x%'",
    'a = 5 #',
    'a.b = 5',
    'a.5',
    'a$_1 = 5',
    '$ IS NULL',
  ],
  ...[
    '_ IS NULL',
    '1a = 5',
    'a-b = 5',
    'a + 1 = 6',
    'a * 2 = 10',
    'é = 5',
    "a = 'é'",
    '\u212a = 5',
    '\u00a0a = 5',
    'a = 5\u0000',
    'IN = 5',
    'is = 5',
  ],
];

function ask(classpath: string, questions: readonly string[]): string[] {
  const source = path.join(checkoutFolder(), 'tests/conformance/SqlFilterAnswers.java');
  const input = questions
    .map(question => `${question[0]}${Buffer.from(question.slice(1)).toString('base64')}\n`)
    .join('');
  const { status, stdout, stderr } = spawnSync('java', ['-cp', classpath, source], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`java ended with ${status}: ${stderr}`);
  return stdout.trim().split('\n');
}

function capture(classpath: string): SqlVectors {
  const drawn = fc.sample(fc.tuple(anyCondition, fc.array(anyProperties, { minLength: 2, maxLength: 3 })), {
    seed: 1,
    numRuns: 150,
  });
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ...written.map(expression => [expression, messages] as const),
    ...drawn.map(
      ([condition, drawnMessages]) => [writeCondition(condition), drawnMessages.map(formatProperties)] as const,
    ),
  ];
  const answers = ask(
    classpath,
    cases.flatMap(([expression, properties]) => [`E${expression}`, ...properties.map(text => `P${text}`)]),
  );
  let at = 0;
  const expressions = cases.map(([expression, properties]) => {
    const taken = answers[at++] === 'taken';
    const pairs = properties.map(text => [text, answers[at++]!] as const);
    return taken ? { expression, answers: pairs } : { expression };
  });
  const how = 'tests/conformance/sql-filter-capture.ts: SqlFilterAnswers.java with the jars of the broker';
  return { captured: { date: new Date().toISOString().slice(0, 10), server: 'Java RocketMQ 4.9.7', how }, expressions };
}

runAsProgram(import.meta.filename, async () => {
  const { values } = parseArgs({ options: { classpath: { type: 'string' } } });
  if (values.classpath === undefined) throw new Error('--classpath: the jars of a Java broker 4.9.7');
  const { captured, expressions } = capture(values.classpath);
  const lines = expressions.map(expression => JSON.stringify(expression)).join(',\n');
  process.stdout.write(`{"captured": ${JSON.stringify(captured)}, "expressions": [\n${lines}\n]}\n`);
});
