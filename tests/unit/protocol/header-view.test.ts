import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LanguageCode, SerializeType } from '../../../protocol/codes.js';
import { decodeUtf8, EXT_FIELDS_MAX, HeaderView } from '../../../protocol/header-view.js';

const headers = suite('protocol/header-view');

const encoder = new TextEncoder();

/** Reads a header that stands between other bytes, in shared memory. */
function read(header: string | Uint8Array, type: number = SerializeType.JSON): HeaderView | undefined {
  const bytes = typeof header === 'string' ? encoder.encode(header) : header;
  const memory = new Uint8Array(new SharedArrayBuffer(bytes.length + 20)).fill(0x22);
  memory.set(bytes, 10);
  const view = new HeaderView();
  return view.read(memory, 10, 10 + bytes.length, type) ? view : undefined;
}

function readExt(ext: string): HeaderView {
  const view = read(`{"code":1,"extFields":${ext}}`);
  assert.ok(view, ext);
  return view as HeaderView;
}

headers('the header of the specification', () => {
  const view = read(
    '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON","version":409}',
  )!;
  assert.equal([view.code, view.flag, view.language, view.opaque, view.version], [105, 0, LanguageCode.JAVA, 0, 409]);
  assert.equal(view.toObject(), { topic: 'T' });
  assert.is(view.fallbacks, 0);
  assert.is(view.serializeType, SerializeType.JSON);
});

headers('the usual header takes the fast way, the unusual one not', () => {
  const fast = [
    '{"code":1}',
    '{"code":1,"extFields":{},"flag":1,"language":"CPP","opaque":-5,"remark":"a \\"b\\" \\u0001","version":0}',
    '{"extFields":{"a":"\\u0001\\n","b":0,"c":true,"d":false,"e":-12,"ü":"消息"},"code":1}',
    '{"unknown":"x","code":1}',
  ];
  for (const header of fast) assert.is(read(header)?.fallbacks, 0, header);
  const slow = [
    '{ "code":1}',
    '{"code":1.0}',
    '{"code":1,"remark":null}',
    '{"code":1,"extFields":null}',
    '{"code":1,"extFields":{"a":null}}',
    '{"code":1,"extFields":{"a":1.5}}',
    '{"code":1,"extFields":{"\\u0061":"x"}}',
    '{"code":1,"language":3}',
    '{"code":1,"unknown":{"a":[]}}',
    '{}',
  ];
  for (const header of slow) assert.is(read(header)?.fallbacks, 1, header);
});

headers('what differs from a header before in letters and digits only is of its shape', () => {
  const view = new HeaderView(true);
  const readNext = (header: string): boolean => {
    const bytes = encoder.encode(header);
    return view.read(bytes, 0, bytes.length, SerializeType.JSON);
  };
  const first = '{"code":310,"extFields":{"a":"one","i":"K\\u0001v"},"flag":0,"opaque":19}';
  readNext(first);
  const { shape } = view;
  assert.ok(shape !== undefined);
  for (const [header, opaque, fields] of [
    [first, 19, { a: 'one', i: 'K\u0001v' }],
    [first.replace('one', 't{o').replace('19', '20'), 20, { a: 't{o', i: 'K\u0001v' }],
    [first.replace('u0001v', 'u0001W'), 19, { a: 'one', i: 'K\u0001W' }],
  ] as const) {
    assert.ok(readNext(header));
    assert.is(view.shape, shape, header);
    assert.is(view.opaque, opaque);
    assert.equal(view.toObject(), fields);
  }
  for (const header of [
    first.replace('one', 'on\\"'),
    first.replace('310', '311'),
    first.replace('0001', '0002'),
    first.replace('19', '-9'),
    first.replace('"a"', '"b"'),
    first.replace('one', 'on\u00e9'),
  ]) {
    assert.ok(readNext(header), header);
    assert.is.not(view.shape, shape, header);
  }
  assert.not(readNext(first.replace('one', 'o"e')), 'a quote ends the text');
  assert.not(readNext(first.replace('19', '09')), 'a number does not begin with 0');
});

headers('fields that are missing', () => {
  const view = read('{}')!;
  assert.equal([view.code, view.flag, view.opaque, view.version, view.count], [0, 0, 0, 0, 0]);
  assert.is(view.language, LanguageCode.JAVA);
});

headers('nothing is left of the header before', () => {
  const view = new HeaderView();
  const first = encoder.encode('{"code":9,"flag":3,"language":"GO","opaque":7,"version":1,"extFields":{"a":"b"}}');
  assert.ok(view.read(first, 0, first.length, 0));
  const second = encoder.encode('{"extFields":null}');
  assert.ok(view.read(second, 0, second.length, 0));
  assert.equal([view.code, view.flag, view.language, view.opaque, view.version, view.count], [0, 0, 0, 0, 0, 0]);
});

headers('languages', () => {
  const languages: readonly [string, number][] = [
    ['"JAVA"', LanguageCode.JAVA],
    ['"CPP"', LanguageCode.CPP],
    ['"NODE_JS"', LanguageCode.NODE_JS],
    ['"JABA"', LanguageCode.OTHER],
    ['"JAVA2"', LanguageCode.OTHER],
    ['"COBOL"', LanguageCode.OTHER],
    ['""', LanguageCode.OTHER],
    ['9', LanguageCode.GO],
    ['99', LanguageCode.OTHER],
    ['-1', LanguageCode.OTHER],
    ['1.5', LanguageCode.OTHER],
    ['null', LanguageCode.JAVA],
    ['true', LanguageCode.OTHER],
  ];
  for (const [text, ordinal] of languages) assert.is(read(`{"language":${text}}`)?.language, ordinal, text);
});

headers('refuses what is no header', () => {
  const wrong = [
    '',
    '{',
    '[]',
    '"x"',
    'null',
    '{"code":1',
    '{"code":1}}',
    '{"code":1},',
    '{"code":01}',
    '{"code":-}',
    '{"code":"1"}',
    '{"code":true}',
    '{"code":1.5}',
    '{"code":2147483648}',
    '{"opaque":-2147483649}',
    '{"code":1,}',
    '{"code":1,"extFields":[]}',
    '{"code":1,"extFields":{"a":{}}}',
    '{"code":1,"extFields":{"a":[]}}',
    '{"code":1,"extFields":{"a":"x"}',
    '{"code":1,"extFields":{"a":"x',
    '{"code":1,"extFields":{"a":"\\x"}}',
    '{"code":1,"extFields":{"a":"\\u12"}}',
    '{"code":1,"extFields":{"a":"\u0001"}}',
    '{"code":1,"extFields":{"a":01}}',
    '{"code":1,"extFields":{"a":truely}}',
    '{"code":1,"remark":"\\q"}',
    '\ufeff{"code":1}',
  ];
  for (const header of wrong) assert.is(read(header), undefined, header);
});

headers('refuses serialize types it does not know', () => {
  for (const type of [2, 3, 127, 255, -1]) assert.is(read('{"code":1}', type), undefined, `type ${type}`);
});

headers('an integer from text, number and escape', () => {
  const view = readExt('{"a":"17","b":17,"c":"-17","d":"+17","e":"\\u0031\\u0037","f":"0017"}');
  for (const index of [0, 1, 3, 4, 5]) assert.is(view.integer(index), 17);
  assert.is(view.integer(2), -17);
});

headers('what is no integer counts as missing', () => {
  const view = readExt(
    '{"a":"","b":"-","c":"+","d":"1x","e":"1.5","f":" 1","g":true,"h":"\\u0031x","i":"1-","j":"\\n"}',
  );
  for (let index = 0; index < view.count; index++) assert.is(view.integer(index, 42), 42, view.string(index));
  assert.is(view.integer(-1, 42), 42);
  assert.is(view.integer(-1), 0);
});

headers('integers that a number cannot hold become the greatest or least it can', () => {
  const nines = '9'.repeat(400);
  const view = readExt(`{"a":"9223372036854775807","b":"-9223372036854775808","c":"${nines}","d":"9007199254740993"}`);
  const greatest = Number.MAX_SAFE_INTEGER;
  assert.equal(
    [0, 1, 2, 3].map(index => view.integer(index)),
    [greatest, -greatest, greatest, greatest],
  );
  assert.is(readExt('{"a":"9007199254740991"}').integer(0), greatest);
  assert.is(readExt('{"a":"\\u0039223372036854775807"}').integer(0), greatest, 'escaped');
});

headers('booleans as Java parses them', () => {
  const view = readExt(
    '{"a":"true","b":true,"c":"TRUE","d":"\\u0074rue","e":"false","f":false,"g":"1","h":"","i":"true "}',
  );
  assert.equal(
    Array.from({ length: view.count }, (_, index) => view.boolean(index)),
    [true, true, true, true, false, false, false, false, false],
  );
  assert.is(view.boolean(-1), false);
});

const texts: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['', ''],
  ['a\\u0001b\\u0002', 'a\u0001b\u0002'],
  ['\\b\\f\\n\\r\\t\\/\\\\\\"', '\b\f\n\r\t/\\"'],
  ['gr\u00fcn \u6d88\u606f \ud83d\ude42', 'gr\u00fcn \u6d88\u606f \ud83d\ude42'],
  ['\\u00e9\\u6D88\\uffff', '\u00e9\u6d88\uffff'],
  ['\\ud83d\\ude42', '\ud83d\ude42'],
  ['\\ud83d', '\ufffd'],
  ['\\ude42\\ud83d', '\ufffd\ufffd'],
  ['\\ud83d\\ud83d\\ude42', '\ufffd\ud83d\ude42'],
  ['\\ud83d\\u0041', '\ufffdA'],
  ['\\ud83d\\n', '\ufffd\n'],
  ['\ufeffBOM', '\ufeffBOM'],
  ['\\ufeffBOM', '\ufeffBOM'],
  ['x'.repeat(100), 'x'.repeat(100)],
];

headers('texts as strings and as bytes', () => {
  for (const [json, text] of texts) {
    const view = readExt(`{"a":"${json}"}`);
    assert.is(view.fallbacks, 0);
    assert.is(view.string(0), text, json);
    const target = new Uint8Array(400).fill(0xa5);
    const end = view.copyValue(0, target, 5);
    assert.is(decodeUtf8(target, 5, end), text, json);
    assert.is(Buffer.byteLength(text), end - 5, json);
    assert.equal([...target.subarray(0, 5)], Array(5).fill(0xa5));
    assert.ok(target.subarray(end).every(byte => byte === 0xa5));
  }
  assert.is(new HeaderView().string(-1), '');
  assert.is(new HeaderView().copyValue(-1, new Uint8Array(0), 3), 3);
});

headers('the slow way gives the same texts', () => {
  for (const [json, text] of texts) {
    const view = read(`{"code":1, "extFields":{"a":"${json}"}}`)!;
    assert.is(view.fallbacks, 1);
    assert.is(view.string(0), text, json);
  }
});

headers('bytes that are no UTF-8 are replaced, not refused', () => {
  const bytes = Buffer.concat([
    Buffer.from('{"code":1,"extFields":{"a":"x'),
    Buffer.from('fffe', 'hex'),
    Buffer.from('"}}'),
  ]);
  assert.is(read(bytes)?.string(0), 'x\ufffd\ufffd');
});

headers('finds fields by name, the last of equal ones', () => {
  const view = readExt('{"a":"1","topic":"T","a":"2"}');
  assert.is(view.find(encoder.encode('topic')), 1);
  assert.is(view.find(encoder.encode('a')), 2);
  assert.is(view.find(encoder.encode('b')), -1);
  assert.is(view.find(encoder.encode('topi')), -1);
  assert.equal(view.toObject(), { a: '2', topic: 'T' });
});

headers('names that objects have of themselves', () => {
  const fields = readExt('{"__proto__":"p","constructor":"c","toString":"t"}').toObject();
  assert.is(Object.getPrototypeOf(fields), Object.prototype);
  assert.equal(Object.entries(fields), [
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['toString', 't'],
  ]);
});

headers('as many fields as allowed, and one more', () => {
  const ext = (count: number) => `{${Array.from({ length: count }, (_, index) => `"f${index}":"${index}"`).join(',')}}`;
  const full = readExt(ext(EXT_FIELDS_MAX));
  assert.is(full.count, EXT_FIELDS_MAX);
  assert.is(full.string(EXT_FIELDS_MAX - 1), String(EXT_FIELDS_MAX - 1));
  assert.is(read(`{"code":1,"extFields":${ext(EXT_FIELDS_MAX + 1)}}`), undefined);
});

// ---- ROCKETMQ binary ----

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

headers('the binary header of the specification', () => {
  const view = read(hex('0069 00 0199 0000004D 00000000 00000000 0000000C 0005 746F706963 00000001 54'), 1)!;
  assert.equal([view.code, view.language, view.version, view.opaque, view.flag], [105, 0, 409, 77, 0]);
  assert.equal(view.toObject(), { topic: 'T' });
  assert.is(view.serializeType, SerializeType.ROCKETMQ);
  const answer = read(hex('0000 00 0199 0000004D 00000001 00000000 00000000'), 1)!;
  assert.equal([answer.code, answer.opaque, answer.flag, answer.count], [0, 77, 1, 0]);
});

headers('binary: a remark is passed over, empty names and values are none', () => {
  const entries = '0001 61 00000000' + '0000 00000001 62' + '0001 63 00000001 64';
  const view = read(hex(`ffff 63 8000 ffffffff 00000003 00000002 4f4b 00000016 ${entries}`), 1)!;
  assert.equal([view.code, view.version, view.opaque, view.flag], [-1, -32768, -1, 3]);
  assert.is(view.language, LanguageCode.OTHER, 'a language nobody knows');
  assert.equal(view.toObject(), { c: 'd' });
});

headers('binary: lengths that point out of the header', () => {
  const fixed = '0069 00 0199 0000004D 00000000';
  for (const rest of [
    '',
    '00000000 000000',
    'ffffffff 00000000',
    '00000001 00000000',
    '7fffffff 00000000',
    '00000000 ffffffff',
    '00000000 00000001',
    '00000000 7fffffff',
    '00000000 00000001 00',
    '00000000 00000002 0000',
    '00000000 00000007 0002 61 00000000',
    '00000000 00000007 ffff 61 00000000',
    '00000000 00000007 0001 61 00000001',
    '00000000 00000007 0001 61 ffffffff',
    '00000000 00000007 0001 61 7fffffff',
  ]) {
    assert.is(read(hex(`${fixed} ${rest}`), 1), undefined, rest);
  }
});

headers('binary: as many fields as allowed, and one more', () => {
  const header = (count: number): Uint8Array => {
    const fixed = Buffer.alloc(21);
    fixed.writeInt32BE(count * 8, 17);
    return Buffer.concat([fixed, ...Array.from({ length: count }, () => hex('0001 61 00000001 62'))]);
  };
  assert.is(read(header(EXT_FIELDS_MAX), 1)?.count, EXT_FIELDS_MAX);
  assert.is(read(header(EXT_FIELDS_MAX + 1), 1), undefined);
});

headers.run();
