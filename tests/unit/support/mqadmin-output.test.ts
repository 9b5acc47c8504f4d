/** Outputs of mqadmin: what is made the same before they are compared, and that everything else shows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareLines, linesOf } from '../../support/mqadmin-output.js';

const output = suite('support: output of mqadmin');

output('words of the cluster, times, ids, addresses, widths and places in the program are made the same', () => {
  const words = { broker: '127.0.0.1:12345', namesrv: '127.0.0.1:1234', 'id-0': 'C00002022F2C068AC325808E92400001' };
  const out = [
    'broker-a   127.0.0.1:12345 127.0.0.1:1234 127.0.0.1:5',
    '',
    '2026-11-25 23:07:07,383 2026-11-25#23:07:07:001 1795648027394',
    'C00002022F2C068AC325808E92400001 7F00000100003E8A0000000000000000',
  ].join('\n');
  const err = 'Some: wrong\n\tat org.example.Some.main(Some.java:3)\n\t... 3 more\n';
  assert.equal(linesOf({ code: 1, out, err }, words), [
    'exit code 1',
    'broker-a <broker> <namesrv> <address>',
    '<time> <time> <ms>',
    '<id-0> <id>',
    'Some: wrong',
  ]);
});

output('masks of a case come last', () => {
  const masks = [{ what: 'durations', find: /rt=\d+/g, put: 'rt=<rt>' }];
  assert.equal(linesOf({ code: 0, out: 'rt=3 rt=4', err: '' }, {}, masks), ['exit code 0', 'rt=<rt> rt=<rt>']);
});

output('lines are the same, each as often, in their order', () => {
  assert.equal(compareLines(['a', 'b', 'b'], ['a', 'b', 'b']), []);
  assert.equal(compareLines(['a', 'b', 'b'], ['a', 'b']), ['only java:   b']);
  assert.equal(compareLines(['a'], ['a', 'c']), ['only ringmq: c']);
  assert.is(compareLines(['a', 'b'], ['b', 'a']).length, 1);
  assert.equal(compareLines(['a', 'b'], ['b', 'a'], [], true), []);
});

output('a declared difference covers the lines of its side, and has to be there', () => {
  const differences = [{ reason: 'wanted', java: /^old/, ringmq: /^new/ }];
  assert.equal(compareLines(['a', 'old 1'], ['new', 'a', 'new 2'], differences), []);
  assert.equal(compareLines(['a'], ['a', 'new'], differences), ['java does not print /^old/: no difference']);
  assert.equal(compareLines(['old', 'a', 'new'], ['a', 'new'], differences), ['only java:   new']);
});

output.run();
