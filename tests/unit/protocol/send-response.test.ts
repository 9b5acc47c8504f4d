import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQ_VERSION, ResponseCode, SerializeType } from '../../../protocol/codes.js';
import { createResponse, decodeCommand } from '../../../protocol/command.js';
import { formatMessageId, parseIpv4 } from '../../../protocol/message-id.js';
import { SendResponseEncoder } from '../../../protocol/send-response.js';

const answers = suite('protocol/send-response');

const host = { storeAddress: parseIpv4('127.0.0.1'), storePort: 20911 };
const encoder = new SendResponseEncoder(host, 'DefaultRegion', true);

interface Sent {
  readonly type?: number;
  readonly code?: number;
  readonly opaque?: number;
  readonly queueId?: number;
  readonly queueOffset?: number;
  readonly physicalOffset?: number;
  readonly sizes?: Int32Array;
}

/** The frame, after a look at the bytes around it. */
function encode(sent: Sent, by = encoder): Uint8Array {
  const { type = SerializeType.JSON, code = 0, opaque = 7, queueId = 3, queueOffset = 5, physicalOffset = 216 } = sent;
  const room = by.sizeMax(sent.sizes?.length ?? 1);
  const target = new Uint8Array(new SharedArrayBuffer(room + 20)).fill(0xa5);
  const end = by.encode(target, 10, type, code, opaque, queueId, queueOffset, physicalOffset, sent.sizes);
  assert.ok(end - 10 <= room, `${end - 10} bytes`);
  assert.ok(target.subarray(0, 10).every(byte => byte === 0xa5));
  assert.ok(target.subarray(end).every(byte => byte === 0xa5));
  return target.slice(10, end);
}

answers('in JSON, to the byte as Java 4.9 writes it', () => {
  const expected =
    '{"code":0,"extFields":{"queueId":"3","TRACE_ON":"true","MSG_REGION":"DefaultRegion",' +
    '"msgId":"7F000001000051AF00000000000000D8","queueOffset":"5"},"flag":1,"language":"JAVA","opaque":7,' +
    `"serializeTypeCurrentRPC":"JSON","version":${MQ_VERSION}}`;
  const frame = encode({});
  assert.is(Buffer.from(frame).toString('utf8', 8), expected);
  assert.is(Buffer.from(frame).readInt32BE(0), frame.length - 4);
  assert.is(Buffer.from(frame).readInt32BE(4), expected.length);
});

const extremes: readonly Sent[] = [
  {},
  { code: ResponseCode.FLUSH_DISK_TIMEOUT, opaque: -1, queueId: 0, queueOffset: 0, physicalOffset: 0 },
  { code: 12, opaque: 0x7fffffff, queueId: 0x7fffffff, queueOffset: 2 ** 33, physicalOffset: 2 ** 40 + 1 },
  {
    code: -0x80000000,
    opaque: -0x80000000,
    queueId: -0x80000000,
    queueOffset: Number.MAX_SAFE_INTEGER,
    physicalOffset: Number.MAX_SAFE_INTEGER,
  },
];

answers('says in both forms what a command would', () => {
  for (const sent of extremes) {
    for (const type of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      const { code = 0, opaque = 7, queueId = 3, queueOffset = 5, physicalOffset = 216 } = sent;
      if (type === SerializeType.ROCKETMQ && Math.abs(code) > 0x7fff) continue;
      const expected = createResponse({ opaque, serializeType: type }, code, null, {
        queueId,
        queueOffset,
        MSG_REGION: 'DefaultRegion',
        TRACE_ON: true,
        msgId: formatMessageId(host.storeAddress, host.storePort, physicalOffset),
      });
      assert.equal(decodeCommand(encode({ ...sent, type })), expected);
    }
  }
});

answers('what was answered before leaves nothing behind', () => {
  const one = new SendResponseEncoder(host, 'DefaultRegion', true);
  const numbers = [0, 9, 10, 99, 4711, 1_000_000_000, 0x7fffffff];
  let count = 0;
  for (const opaque of [...numbers, -1]) {
    for (const queueId of numbers) {
      for (const queueOffset of [...numbers, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]) {
        const physicalOffset = ++count * 0x1357_9bdf;
        const code = count % 5 === 0 ? ResponseCode.FLUSH_DISK_TIMEOUT : 0;
        const { extFields, ...rest } = decodeCommand(
          encode({ code, opaque, queueId, queueOffset, physicalOffset }, one),
        );
        assert.equal([rest.code, rest.opaque], [code, opaque]);
        assert.equal([extFields.queueId, extFields.queueOffset], [String(queueId), String(queueOffset)]);
        assert.is(extFields.msgId, formatMessageId(host.storeAddress, host.storePort, physicalOffset));
      }
    }
  }
});

answers('a batch names every record', () => {
  const sizes = Int32Array.of(100, 250, 91, 4096);
  const positions = [1000, 1100, 1350, 1441];
  const msgId = positions.map(position => formatMessageId(host.storeAddress, host.storePort, position)).join(',');
  for (const type of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
    const { extFields } = decodeCommand(encode({ type, sizes, physicalOffset: 1000 }));
    assert.is(extFields.msgId, msgId);
    assert.is(extFields.queueOffset, '5', 'of the first');
    assert.equal(decodeCommand(encode({ type, sizes: Int32Array.of(100) })), decodeCommand(encode({ type })));
  }
});

answers('a large batch has room', () => {
  const sizes = new Int32Array(5000).fill(91);
  const ids = decodeCommand(encode({ sizes, physicalOffset: 2 ** 45 })).extFields.msgId?.split(',') ?? [];
  assert.is(ids.length, 5000);
  assert.is(ids[4999], formatMessageId(host.storeAddress, host.storePort, 2 ** 45 + 4999 * 91));
});

answers('regions that JSON must escape', () => {
  for (const region of ['', 'gr\u00fcn "quoted" \\', '\u6d88\u606f']) {
    for (const type of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      const { extFields } = decodeCommand(encode({ type }, new SendResponseEncoder(host, region, false)));
      // Java reads an empty text of the binary form as none.
      assert.is(extFields.MSG_REGION, region === '' && type === SerializeType.ROCKETMQ ? undefined : region);
      assert.is(extFields.TRACE_ON, 'false');
    }
  }
});

answers('the room for an answer follows the region', () => {
  for (const size of [0, 300, 20_000]) {
    const long = new SendResponseEncoder(host, '\u6d88'.repeat(size), true);
    for (const type of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      for (const extreme of extremes)
        assert.is(decodeCommand(encode({ ...extreme, type }, long)).extFields.MSG_REGION?.length ?? 0, size);
    }
  }
});

answers.run();
