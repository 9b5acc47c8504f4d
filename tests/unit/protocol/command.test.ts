import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandFlag, LanguageCode, MQ_VERSION, RequestCode, SerializeType } from '../../../protocol/codes.js';
import {
  createRequest,
  createResponse,
  decodeCommand,
  encodeCommand,
  isOneway,
  isResponse,
  type RemotingCommand,
} from '../../../protocol/command.js';
import { RingError } from '../../../runtime/base/errors.js';

const commands = suite('protocol/command');

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const isViolation = (error: unknown): boolean => error instanceof RingError && error.code === 'PROTOCOL_VIOLATION';
const headerText = (frame: Uint8Array): string => Buffer.from(frame).toString('utf8', 8);

/** Source: spec remoting 1.1, 16.1. */
const SPEC_JSON =
  '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":0,"serializeTypeCurrentRPC":"JSON","version":409}';
const SPEC_BINARY = hex(
  '00000025 01000021 0069 00 0199 0000004D 00000000 00000000 0000000C 0005 746F706963 00000001 54',
);

commands('a request in JSON is what Java writes, both ways', () => {
  const request = createRequest(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T' });
  const frame = encodeCommand(request);
  assert.is(headerText(frame), SPEC_JSON);
  assert.equal(frame.subarray(0, 8), new Uint8Array([0, 0, 0, SPEC_JSON.length + 4, 0, 0, 0, SPEC_JSON.length]));
  assert.equal(decodeCommand(frame), request);
});

commands('the shorter header of the specification is read', () => {
  const header = '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":0,"version":409}';
  const command = decodeCommand(Buffer.concat([hex('0000005E 0000005A'), Buffer.from(header)]));
  assert.equal(command, createRequest(105, { topic: 'T' }));
});

commands('a request in the binary form is what Java writes, both ways', () => {
  const request: RemotingCommand = {
    ...createRequest(105, { topic: 'T' }),
    opaque: 77,
    serializeType: SerializeType.ROCKETMQ,
  };
  assert.is(Buffer.from(encodeCommand(request)).toString('hex'), SPEC_BINARY.toString('hex'));
  assert.equal(decodeCommand(SPEC_BINARY), request);
});

commands('an answer in the binary form is what Java writes', () => {
  const answer = createResponse({ opaque: 77, serializeType: SerializeType.ROCKETMQ }, 0);
  const expected = hex('00000019 01000015 0000 00 0199 0000004D 00000001 00000000 00000000');
  assert.is(Buffer.from(encodeCommand(answer)).toString('hex'), expected.toString('hex'));
});

commands('values become what String.valueOf makes of them', () => {
  const fields = { text: 'x', number: 7, yes: true, no: false, zero: 0, empty: '', none: null, absent: undefined };
  assert.equal(createRequest(1, fields).extFields, {
    text: 'x',
    number: '7',
    yes: 'true',
    no: 'false',
    zero: '0',
    empty: '',
  });
});

commands('an answer takes opaque and form from its request, and always has ext fields', () => {
  const request = { opaque: -3, serializeType: SerializeType.JSON };
  const answer = createResponse(request, 17, 'no route');
  assert.equal([answer.opaque, answer.flag, answer.version], [-3, CommandFlag.RESPONSE, MQ_VERSION]);
  assert.match(headerText(encodeCommand(answer)), '"extFields":{},');
  assert.ok(isResponse(answer));
  assert.not(isOneway(answer));
  assert.ok(isOneway({ flag: CommandFlag.ONEWAY }));
});

const remarks = [
  null,
  'FOUND',
  'mit "Anf\u00fchrung" und \u6d88\u606f',
  '\ufeffBOM',
  'line\nbreak',
  '\ud83d\ude42'.repeat(30),
];

commands('remarks and bodies, in both forms', () => {
  for (const serializeType of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
    for (const remark of remarks) {
      for (const body of [null, Uint8Array.of(0, 1, 2, 255)]) {
        const answer = createResponse({ opaque: 1, serializeType }, 1, remark, { a: 'b' }, body);
        assert.equal(decodeCommand(encodeCommand(answer)), answer);
      }
    }
  }
});

commands('an ext field called remark is none', () => {
  const request = createRequest(1, { remark: 'not this' });
  assert.is(decodeCommand(encodeCommand(request)).remark, null);
});

commands('a remark that is no text is none', () => {
  for (const remark of ['7', 'null', '{"a":1}']) {
    const header = Buffer.from(`{"code":1,"flag":1,"remark":${remark}}`);
    const prefix = hex('00000000 00000000');
    prefix.writeInt32BE(4 + header.length, 0);
    prefix.writeInt32BE(header.length, 4);
    assert.is(decodeCommand(Buffer.concat([prefix, header])).remark, null);
  }
});

commands('an empty body is no body', () => {
  const frame = encodeCommand(createRequest(1, {}, new Uint8Array(0)));
  assert.is(decodeCommand(frame).body, null);
});

commands('the body is a copy, of a Buffer as well', () => {
  const frame = Buffer.from(encodeCommand(createRequest(1, {}, Uint8Array.of(1, 2, 3))));
  const { body } = decodeCommand(frame);
  frame.fill(9);
  assert.equal(body, Uint8Array.of(1, 2, 3));
});

commands('a code that 16 bits cannot hold goes in JSON', () => {
  const request = { ...createRequest(200_050, { a: '1' }), serializeType: SerializeType.ROCKETMQ };
  const frame = encodeCommand(request);
  assert.is(frame[4], SerializeType.JSON);
  assert.equal(decodeCommand(frame), { ...request, serializeType: SerializeType.JSON });
});

commands('languages: by name, unknown ones as OTHER', () => {
  for (const language of Object.values(LanguageCode)) {
    const request = { ...createRequest(1), language };
    assert.is(decodeCommand(encodeCommand(request)).language, language);
  }
  assert.is(decodeCommand(encodeCommand({ ...createRequest(1), language: 99 })).language, LanguageCode.OTHER);
});

commands('names that objects have of themselves', () => {
  const frame = encodeCommand(createRequest(1, JSON.parse('{"__proto__":"p","constructor":"c"}')));
  assert.equal(Object.entries(decodeCommand(frame).extFields), [
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
});

commands('what is no command', () => {
  for (const frame of [
    '',
    '00000004',
    '00000004 000000',
    '00000004 00000000',
    '00000004 01000000',
    '00000006 00000002 7b7d00',
    '00000004 00000002 7b7d',
    '00000006 00000002 7b',
    '00000006 00000002 7b7b',
    '00000006 02000002 7b7d',
  ]) {
    const bytes = hex(frame);
    if (frame === '00000006 00000002 7b7d00') assert.is(decodeCommand(bytes).code, 0, 'this one is a command');
    else assert.throws(() => decodeCommand(bytes), isViolation, frame);
  }
});

commands.run();
