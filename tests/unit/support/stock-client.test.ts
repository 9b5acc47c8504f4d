import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejectionOf } from '../../support/fake-broker.js';
import { checkVerdicts, reasonToSkip, runScenarios } from '../../support/stock-client.js';

const stockClient = suite('stock client');

/** A program that prints this text and ends with 1. */
const printing = (text: string): string[] => [
  process.execPath,
  '-e',
  `process.stdout.write(${JSON.stringify(text)}); process.exitCode = 1`,
];

stockClient('reads what a program of scenarios says', async () => {
  const text = 'PASS a.b (12 ms)\nSKIP a.c: too old\nFAIL a.d: went wrong: twice\nnoise\n1 passed, 1 failed\n';
  const verdicts = await runScenarios(printing(text), process.cwd(), 10_000);
  assert.equal(verdicts.passed, ['a.b']);
  assert.equal([...verdicts.failed], [['a.d', 'went wrong: twice']]);
});

stockClient('does not believe a program that broke off, or whose sum is another', async () => {
  for (const text of ['PASS a (1 ms)\n', 'PASS a (1 ms)\n2 passed, 0 failed\n', '']) {
    const error = await rejectionOf(runScenarios(printing(text), process.cwd(), 10_000));
    assert.match((error as Error).message, 'did not come to its end');
  }
});

stockClient('excuses only what is named, and wants something to pass', () => {
  const failed = new Map([['a', 'why']]);
  checkVerdicts({ passed: ['b'], failed }, new Map([['a', 'later']]));
  assert.throws(() => checkVerdicts({ passed: ['b'], failed }, new Map()), /a: why/);
  assert.throws(() => checkVerdicts({ passed: [], failed: new Map() }, new Map()), /no scenario passed/);
});

stockClient('a client runs only when it is asked for and its tools are there', () => {
  const before = process.env.RINGMQ_STOCK_CLIENTS;
  try {
    delete process.env.RINGMQ_STOCK_CLIENTS;
    assert.match(reasonToSkip('go', []), 'does not name go');
    process.env.RINGMQ_STOCK_CLIENTS = 'java5, go';
    assert.is(reasonToSkip('go', [[process.execPath, '--version']]), '');
    assert.is(reasonToSkip('go', [['no-such-tool', '-v']]), 'there is no no-such-tool');
  } finally {
    if (before === undefined) delete process.env.RINGMQ_STOCK_CLIENTS;
    else process.env.RINGMQ_STOCK_CLIENTS = before;
  }
});

stockClient.run();
