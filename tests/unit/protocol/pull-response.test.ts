import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQ_VERSION, ResponseCode, SerializeType } from '../../../protocol/codes.js';
import { createResponse, decodeCommand } from '../../../protocol/command.js';
import { PULL_RESPONSE_HEADER_MAX, type PullOutcome, putPullResponse } from '../../../protocol/pull-response.js';

const answers = suite('protocol/pull-response');

const found: PullOutcome = {
  code: 0,
  remark: 'FOUND',
  suggestWhichBrokerId: 0,
  nextBeginOffset: 3,
  minOffset: 0,
  maxOffset: 3,
};

const AT = 10;

/** The whole frame with `body` behind its header, after a look at the bytes around the header. */
function encode(outcome: PullOutcome, type: number, opaque: number, body = Buffer.alloc(0)): Buffer {
  const target = new Uint8Array(AT + PULL_RESPONSE_HEADER_MAX + body.length + 10).fill(0xa5);
  const bodyAt = putPullResponse(target, AT, type, opaque, outcome, body.length);
  assert.ok(bodyAt - AT <= PULL_RESPONSE_HEADER_MAX, `${bodyAt - AT} bytes`);
  assert.ok(target.subarray(0, AT).every(byte => byte === 0xa5));
  assert.ok(target.subarray(bodyAt).every(byte => byte === 0xa5));
  target.set(body, bodyAt);
  return Buffer.from(target.subarray(AT, bodyAt + body.length));
}

answers('in JSON, to the byte', () => {
  const expected =
    '{"code":0,"extFields":{"suggestWhichBrokerId":"0","nextBeginOffset":"3","minOffset":"0","maxOffset":"3"},' +
    `"flag":1,"language":"JAVA","opaque":9,"remark":"FOUND","serializeTypeCurrentRPC":"JSON","version":${MQ_VERSION}}`;
  const frame = encode(found, SerializeType.JSON, 9);
  assert.is(frame.toString('utf8', 8), expected);
  assert.is(frame.readInt32BE(0), frame.length - 4);
});

const outcomes: readonly PullOutcome[] = [
  found,
  { ...found, code: ResponseCode.PULL_NOT_FOUND, remark: 'NO_MESSAGE_IN_QUEUE', nextBeginOffset: 0, maxOffset: 0 },
  { ...found, code: ResponseCode.PULL_RETRY_IMMEDIATELY, remark: 'NO_MATCHED_MESSAGE', suggestWhichBrokerId: 1 },
  {
    code: ResponseCode.PULL_OFFSET_MOVED,
    remark: 'OFFSET_OVERFLOW_BADLY',
    suggestWhichBrokerId: Number.MIN_SAFE_INTEGER,
    nextBeginOffset: Number.MIN_SAFE_INTEGER,
    minOffset: Number.MIN_SAFE_INTEGER,
    maxOffset: Number.MIN_SAFE_INTEGER,
  },
];

answers('says in both forms what a command would', () => {
  for (const outcome of outcomes) {
    for (const serializeType of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      for (const opaque of [0, -0x80000000]) {
        const body = outcome.code === 0 ? Buffer.from('records') : Buffer.alloc(0);
        const { code, remark, ...offsets } = outcome;
        const expected = createResponse(
          { opaque, serializeType },
          code,
          remark,
          offsets,
          body.length > 0 ? new Uint8Array(body) : null,
        );
        assert.equal(decodeCommand(encode(outcome, serializeType, opaque, body)), expected);
      }
    }
  }
});

answers('states the length of a body that is not there yet', () => {
  const target = new Uint8Array(PULL_RESPONSE_HEADER_MAX);
  const bodyAt = putPullResponse(target, 0, SerializeType.JSON, 0, found, 262_144);
  assert.is(Buffer.from(target.buffer).readInt32BE(0), bodyAt - 4 + 262_144);
  assert.is(Buffer.from(target.buffer).readInt32BE(4), bodyAt - 8);
});

answers.run();
