/** Failures: exit code and advice of each kind. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError, explain, failureText } from '../../../cli/failure.js';
import { MQClientError } from '../../../client/errors.js';
import { RingError } from '../../../runtime/base/errors.js';

const failure = suite('failure');

const listenFailed = (kind: string, port: number, code: string): RingError =>
  new RingError('LISTEN_FAILED', 'cannot listen', { kind, host: '10.9.9.9', port }, { cause: { code } });

const cases: readonly [name: string, error: unknown, exitCode: number, advice: RegExp | undefined][] = [
  ['a store in use', new RingError('STORE_LOCKED', 'in use'), 255, undefined],
  ['a store that does not open', new RingError('STORE_CORRUPT', 'sizes differ'), 253, /Keep a copy of the store/],
  ['a disk that fails', new RingError('DISK_WRITE_FAILED', 'EROFS'), 253, /writable/],
  ['a port in use', listenFailed('broker', 10911, 'EADDRINUSE'), 255, /port 10911: .*--set listenPort=PORT/],
  ['the second port in use', listenFailed('vip', 10909, 'EADDRINUSE'), 255, /listenPort - 2 = 10909/],
  ['the name server port in use', listenFailed('namesrv', 9876, 'EADDRINUSE'), 255, /--set namesrvListenPort=PORT/],
  ['an address elsewhere', listenFailed('broker', 10911, 'EADDRNOTAVAIL'), 255, /10\.9\.9\.9 is no address of this/],
  ['a port of the system', listenFailed('broker', 80, 'EACCES'), 255, /above 1023/],
  ['a peer that is not there', new MQClientError('CONNECT_FAILED', 'refused'), 1, /NAMESRV_ADDR/],
  ['a topic that is not there', new MQClientError('NO_ROUTE', 'no topic'), 1, /ringmq topic list/],
  ['a refusal', new MQClientError('REFUSED', 'no'), 1, undefined],
];

for (const [name, error, exitCode, advice] of cases) {
  failure(`${name} ends with ${exitCode}`, () => {
    const explained = explain(error);
    assert.is(explained.exitCode, exitCode);
    assert.ok(failureText('p', explained).startsWith(`p: ${(error as Error).message}`));
    if (advice === undefined) assert.equal(explained.advice, []);
    else assert.match(explained.advice.join('\n'), advice);
  });
}

failure('the port of a name server alone is its listenPort', () => {
  const { advice } = explain(listenFailed('namesrv', 9876, 'EADDRINUSE'), true);
  assert.match(advice.join(), '--set listenPort=PORT');
});

failure('a bug shows where it is', () => {
  const { message, exitCode } = explain(new TypeError('x is not a function'));
  assert.is(exitCode, 255);
  assert.match(message, /unexpected failure: TypeError: x is not a function\n\s+at /);
});

failure('what is explained stays as it is', () => {
  const error = new CliError('no', 1);
  assert.is(explain(error), error);
});

failure.run();
