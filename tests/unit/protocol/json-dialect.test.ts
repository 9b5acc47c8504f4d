import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DIALECT_DEPTH_MAX,
  DIALECT_LENGTH_MAX,
  KeyedMap,
  parseDialect,
  parseKeyObject,
  stringifyDialect,
} from '../../../protocol/json-dialect.js';
import { RingError } from '../../../runtime/base/errors.js';

const dialect = suite('protocol/json-dialect');

function violationOf(text: string): RingError {
  try {
    parseDialect(text);
  } catch (error) {
    if (error instanceof RingError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

dialect('reads what a 4.9.8 name server says of a cluster', () => {
  const text =
    '{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.1:20911",1:"127.0.0.1:21911"},"brokerName":"broker-a",' +
    '"cluster":"DefaultCluster"}},"clusterAddrTable":{"DefaultCluster":["broker-a"]}}';
  assert.equal(parseDialect(text), {
    brokerAddrTable: {
      'broker-a': {
        brokerAddrs: { '0': '127.0.0.1:20911', '1': '127.0.0.1:21911' },
        brokerName: 'broker-a',
        cluster: 'DefaultCluster',
      },
    },
    clusterAddrTable: { DefaultCluster: ['broker-a'] },
  });
});

dialect('keeps an object that is a key as canonical JSON', () => {
  const text = '{"offsetTable":{{"topic":"T","queueId":0,"brokerName":"b"}:{"brokerOffset":4}, { "queueId" : 1 } : 5}}';
  const parsed = parseDialect(text) as { offsetTable: Record<string, unknown> };
  const keys = Object.keys(parsed.offsetTable);
  assert.equal(keys, ['{"brokerName":"b","queueId":0,"topic":"T"}', '{"queueId":1}']);
  assert.equal(parseKeyObject(keys[0]!), { brokerName: 'b', queueId: 0, topic: 'T' });
  assert.equal(parsed.offsetTable[keys[1]!], 5);
});

dialect('leaves a key that came as text alone', () => {
  const text = '{"{\\"topic\\":\\"T\\",\\"queueId\\":0}":5}';
  assert.equal(parseDialect(text), { '{"topic":"T","queueId":0}': 5 });
  assert.equal(parseKeyObject('{"topic":"T","queueId":0}'), { topic: 'T', queueId: 0 });
  assert.throws(
    () => parseKeyObject('7'),
    (error: unknown) => error instanceof RingError,
  );
});

dialect('clamps integers no number can hold, and only those', () => {
  assert.equal(parseDialect('{"end":9223372036854775807,"start":-9223372036854775808}'), {
    end: Number.MAX_SAFE_INTEGER,
    start: -Number.MAX_SAFE_INTEGER,
  });
  assert.is(parseDialect('9007199254740991'), Number.MAX_SAFE_INTEGER);
  assert.is(parseDialect('9007199254740992'), Number.MAX_SAFE_INTEGER);
  assert.is(parseDialect('1e300'), 1e300);
  assert.is(parseDialect('0.12345678901234567'), Number('0.12345678901234567'));
  assert.equal(parseDialect('{9223372036854775807:1}'), { '9223372036854775807': 1 });
});

dialect('the tolerant reader knows all of JSON', () => {
  const tolerant = '{1:[true,false,null,-0.5e+2,"\\u0001\\"\\\\\\n\\ud83d\\ude00é"],-2:{},"":[]}';
  assert.equal(parseDialect(tolerant), { '1': [true, false, null, -50, '\u0001"\\\n😀é'], '-2': {}, '': [] });
});

dialect('a field named __proto__ is a field', () => {
  for (const text of ['{"__proto__":{"x":1},"y":2}', '{"__proto__":{"x":1},"y":2,3:4}']) {
    const parsed = parseDialect(text) as Record<string, unknown>;
    assert.is(Object.getPrototypeOf(parsed), Object.prototype);
    assert.ok(Object.hasOwn(parsed, '__proto__'));
  }
});

dialect('names the position of what it cannot read', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['{"a":}', 5],
    ['{"a" 1}', 5],
    ['{"a":1', 6],
    ['[1,]', 3],
    ['{a:1}', 1],
    ['{1.5:1}', 2],
    ['{0:1}x', 5],
    ['[01]', 2],
    ['{0:"abc', 3],
    ['{0:"\\x"}', 3],
    ['{0:"\u0001"}', 4],
    ["{'a':1}", 1],
    ['tru', 0],
  ];
  for (const [text, position] of cases) {
    const error = violationOf(text);
    assert.is(error.code, 'PROTOCOL_VIOLATION', text);
    assert.is(error.facts.position, position, text);
  }
});

dialect('refuses what is nested too deep or too long', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  assert.ok(Array.isArray(parseDialect(nested(DIALECT_DEPTH_MAX))));
  assert.match(violationOf(nested(DIALECT_DEPTH_MAX + 1)).message, 'nested deeper');
  assert.match(violationOf('{0:'.repeat(100_000)).message, 'nested deeper');
  assert.match(violationOf('{{{0:1}:1}:1}').message, 'a key within a key');
  assert.match(violationOf(' '.repeat(DIALECT_LENGTH_MAX + 1)).message, 'longer than');
});

dialect('writes fields sorted, without nulls, and objects as keys', () => {
  const offsetTable = new KeyedMap([[{ topic: 'T', queueId: 0, brokerName: 'b' }, { brokerOffset: 4 }]]);
  assert.is(
    stringifyDialect({ offsetTable, consumeTps: 0, absent: undefined, nothing: null }),
    '{"consumeTps":0,"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:{"brokerOffset":4}}}',
  );
  assert.is(
    stringifyDialect({ 0: 'x', text: 'a\u0001"', list: [1, null, 2n] }),
    '{"0":"x","list":[1,null,2],"text":"a\\u0001\\""}',
  );
  assert.is(stringifyDialect(new KeyedMap([])), '{}');
});

dialect.run();
