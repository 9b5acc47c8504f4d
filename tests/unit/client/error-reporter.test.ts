import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reporterOf } from '../../../client/error-reporter.js';

const reporter = suite('client/error-reporter');

/** The warnings of the process that `work` leads to. */
async function warningsOf(work: () => void): Promise<Error[]> {
  const warnings: Error[] = [];
  const emit = process.emitWarning;
  process.emitWarning = ((message: string, options: { type: string }) => {
    warnings.push(Object.assign(new Error(message), { name: options.type }));
  }) as typeof process.emitWarning;
  try {
    work();
  } finally {
    process.emitWarning = emit;
  }
  return warnings;
}

reporter('without one, a failure is a warning of the process', async () => {
  const warnings = await warningsOf(() => reporterOf(undefined)(new Error('no disk'), 'storing offsets'));
  assert.equal(
    warnings.map(({ name, message }) => [name, message]),
    [['RocketMQWarning', 'storing offsets: no disk']],
  );
});

reporter('the application’s is called, and may itself fail', async () => {
  const told: string[] = [];
  const report = reporterOf((_error, what) => {
    told.push(what);
    throw new Error('the log is full');
  });
  const warnings = await warningsOf(() => report(new Error('no disk'), 'storing offsets'));
  assert.equal(told, ['storing offsets']);
  assert.equal(
    warnings.map(({ message }) => message),
    ['onError, told of storing offsets: the log is full'],
  );
});

reporter.run();
