/** Names of topics. Source: spec remoting 5.3, 12.3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isForbiddenTarget, isSystemTopic, topicFault } from '../../../protocol/topic-names.js';

const rules = suite('protocol/topic-names');

rules('legal names', () => {
  for (const name of ['T', 'TopicTest', '%RETRY%group', '%DLQ%g', 'a-b_C|9', 'x'.repeat(127)])
    assert.is(topicFault(name, 127), undefined, name);
});

rules('illegal names say why', () => {
  const cases: [name: string, reason: RegExp][] = [
    ['', /blank/],
    ['   ', /blank/],
    ['\t', /blank/],
    ['a b', /illegal characters/],
    ['a.b', /illegal characters/],
    ['a/b', /illegal characters/],
    ['..', /illegal characters/],
    ['T\n', /illegal characters/],
    ['\nT', /illegal characters/],
    ['Tä', /illegal characters/],
    ['T\u0000', /illegal characters/],
    ['x'.repeat(128), /longer than topic max length 127/],
  ];
  for (const [name, reason] of cases) assert.match(topicFault(name, 127) ?? '', reason, JSON.stringify(name));
});

rules('what clients may not send to', () => {
  const forbidden = [
    'SCHEDULE_TOPIC_XXXX',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'RMQ_SYS_TRANS_OP_HALF_TOPIC',
    'TRANS_CHECK_MAX_TIME_TOPIC',
    'SELF_TEST_TOPIC',
    'OFFSET_MOVED_EVENT',
  ];
  for (const name of forbidden) assert.equal([isForbiddenTarget(name), isSystemTopic(name)], [true, true], name);
  for (const name of ['TBW102', 'BenchmarkTest', 'RMQ_SYS_TRACE_TOPIC'])
    assert.equal([isForbiddenTarget(name), isSystemTopic(name)], [false, true], name);
  for (const name of ['T', '%RETRY%SELF_TEST_TOPIC', 'schedule_topic_xxxx'])
    assert.equal([isForbiddenTarget(name), isSystemTopic(name)], [false, false], name);
  assert.is(isSystemTopic('rmq_sys_anything'), true);
});

rules.run();
