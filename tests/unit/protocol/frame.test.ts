import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_SIZE_MAX } from '../../../protocol/codes.js';
import {
  FRAME_PREFIX_SIZE,
  FrameCutter,
  FrameFault,
  frameSize,
  headerLength,
  peekCode,
  putFramePrefix,
  serializeTypeOf,
} from '../../../protocol/frame.js';

const frames = suite('protocol/frame');

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A frame around a header text, with `bodySize` bytes behind it. */
function frameOf(header: string, bodySize = 0, type = 0): Buffer {
  const bytes = Buffer.from(header);
  const frame = Buffer.alloc(FRAME_PREFIX_SIZE + bytes.length + bodySize, 0x2a);
  putFramePrefix(frame, 0, type, bytes.length, bodySize);
  frame.set(bytes, FRAME_PREFIX_SIZE);
  return frame;
}

/** Source: spec remoting 16.1. */
frames('the prefix of the specification, both ways', () => {
  const prefix = hex('0000005E 0000005A');
  const target = Buffer.alloc(12, 0xa5);
  putFramePrefix(target, 2, 0, 90, 0);
  assert.equal(target, Buffer.concat([hex('a5a5'), prefix, hex('a5a5')]));
  assert.is(frameSize(prefix, 0), 98);
  assert.is(headerLength(prefix, 0), 90);
  assert.is(serializeTypeOf(prefix, 0), 0);
  const binary = hex('00000025 01000021');
  assert.equal([frameSize(binary, 0), headerLength(binary, 0), serializeTypeOf(binary, 0)], [41, 33, 1]);
});

frames('lengths that are none', () => {
  assert.is(frameSize(hex('ffffffff'), 0), FrameFault.NEGATIVE);
  assert.is(frameSize(hex('80000000'), 0), FrameFault.NEGATIVE);
  assert.is(frameSize(hex('00000003'), 0), FrameFault.NEGATIVE, 'not even the header length fits');
  assert.is(frameSize(hex('00000004'), 0), 8);
  assert.is(frameSize(hex('16030100'), 0), FrameFault.TOO_LARGE, 'the begin of a TLS handshake');
  const limit = Buffer.alloc(4);
  limit.writeInt32BE(FRAME_SIZE_MAX - 4);
  assert.is(frameSize(limit, 0), FRAME_SIZE_MAX);
  limit.writeInt32BE(FRAME_SIZE_MAX - 3);
  assert.is(frameSize(limit, 0), FrameFault.TOO_LARGE);
  assert.is(frameSize(hex('00000100'), 0, 256), FrameFault.TOO_LARGE, 'with a limit of its own');
});

frames('a header may not be longer than its frame', () => {
  assert.is(headerLength(hex('0000000a 00000006'), 0), 6);
  assert.is(headerLength(hex('0000000a 00000007'), 0), FrameFault.HEADER_TOO_LONG);
  assert.is(headerLength(hex('0000000a 00ffffff'), 0), FrameFault.HEADER_TOO_LONG);
});

frames('the code is seen without reading the header', () => {
  assert.is(peekCode(frameOf('{"code":105,"flag":0}'), 0), 105);
  assert.is(peekCode(frameOf('{"code":0,"flag":0}'), 0), 0);
  assert.is(peekCode(frameOf('{"code":200050,"flag":0}'), 0), 200050);
  const shifted = Buffer.concat([hex('ffffff'), frameOf('{"code":34,"flag":0}')]);
  assert.is(peekCode(shifted, 3), 34);
  assert.is(peekCode(hex('00000025 01000021 0069 000199'), 0), 105, 'binary');
  assert.is(peekCode(hex('00000025 01000021 ffff 000199'), 0), -1, 'binary, negative');
});

frames('the code is left to the header where it does not stand first', () => {
  for (const header of [
    '{"flag":0,"code":105}',
    '{ "code":105,"flag":0}',
    '{"code":105}',
    '{"code":-1,"flag":0}',
    '{"code":,"flag":0}',
    '{"code":"105","flag":0}',
    '{"code":1.5,"flag":0}',
    '{"code":12345678,"flag":0}',
    '{"code":',
    '{"code":12',
    '{',
    '',
  ]) {
    assert.is(peekCode(frameOf(header), 0), -1, header);
  }
});

frames('the code is not taken from the body', () => {
  for (const [header, body] of [
    ['', '{"code":105,'],
    ['{"code":', '105,'],
    ['{"code":10', '5,'],
    ['{"code":105', ','],
  ] as const) {
    const frame = frameOf(header, body.length);
    frame.write(body, frame.length - body.length);
    assert.is(peekCode(frame, 0), -1, header);
  }
  assert.is(peekCode(hex('00000005 01000000 00'), 0), -1, 'binary, no header');
  assert.is(peekCode(hex('00000006 01000001 0069'), 0), -1, 'binary, half a code');
});

// ---- cutting ----

interface Cut {
  readonly frames: Buffer[];
  readonly faults: number[];
  readonly cutter: FrameCutter;
}

function cutAll(chunks: readonly Uint8Array[]): Cut {
  const cut: { frames: Buffer[]; faults: number[] } = { frames: [], faults: [] };
  const cutter = new FrameCutter(
    frame => cut.frames.push(Buffer.from(frame)),
    fault => cut.faults.push(fault),
  );
  for (const chunk of chunks) cutter.push(chunk);
  return { ...cut, cutter };
}

/** Chunks of `size`, each in memory of its own that is overwritten once it was pushed. */
function pushReused(cutter: FrameCutter, stream: Uint8Array, size: number): void {
  const reused = new Uint8Array(size);
  for (let at = 0; at < stream.length; at += size) {
    const part = stream.subarray(at, at + size);
    reused.set(part);
    cutter.push(reused.subarray(0, part.length));
    reused.fill(0xa5);
  }
}

const several = [
  frameOf('{"code":1}'),
  frameOf(''),
  frameOf('{"code":2}', 9000),
  frameOf('{"code":3}', 1),
  frameOf('{"code":4}', 300_000),
  frameOf('{"code":5}'),
];

frames('a stream cut anywhere gives the same frames', () => {
  const stream = Buffer.concat(several);
  for (const size of [1, 2, 3, 7, 8, 9, 17, 18, 19, 4095, 4096, 4097, 65536, stream.length]) {
    const got: Buffer[] = [];
    const cutter = new FrameCutter(
      frame => got.push(Buffer.from(frame)),
      fault => assert.unreachable(`fault ${fault}`),
    );
    pushReused(cutter, stream, size);
    assert.equal(got, several, `chunks of ${size}`);
  }
});

frames('a gathered frame may be kept', () => {
  const kept: Uint8Array[] = [];
  const cutter = new FrameCutter(
    frame => kept.push(frame),
    () => assert.unreachable(),
  );
  for (const frame of several) for (const byte of frame) cutter.push(Uint8Array.of(byte));
  assert.equal(
    kept.map(frame => Buffer.from(frame)),
    several,
  );
});

frames('a large frame is copied in linear time', () => {
  const large = frameOf('{"code":1}', 8 * 1024 * 1024);
  const chunks = Array.from({ length: Math.ceil(large.length / 1460) }, (_, index) =>
    large.subarray(index * 1460, (index + 1) * 1460),
  );
  const { frames: got, cutter } = cutAll(chunks);
  assert.is(got.length, 1);
  assert.ok(got[0]?.equals(large));
  // Once to gather, and less than twice more while the memory doubles.
  assert.ok(cutter.copiedBytes < 3 * large.length, `${cutter.copiedBytes} bytes copied of ${large.length}`);
});

frames('frames that arrive whole are not copied', () => {
  const { frames: got, cutter } = cutAll([Buffer.concat(several)]);
  assert.is(got.length, several.length);
  assert.is(cutter.copiedBytes, 0);
});

frames('a peer gets memory for what it sent, not for what it announces', () => {
  const announced = Buffer.alloc(100);
  announced.writeInt32BE(FRAME_SIZE_MAX - 4);
  const before = process.memoryUsage().arrayBuffers;
  const kept = Array.from({ length: 64 }, () => cutAll([announced]));
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.is(kept.length, 64);
  assert.ok(grown < 64 * 64 * 1024, `${grown} bytes for 64 begun frames`);
});

frames('faults are told once, and end it', () => {
  const good = frameOf('{"code":1}');
  for (const [bad, fault] of [
    [hex('ffffffff 00000000'), FrameFault.NEGATIVE],
    [hex('7fffffff 00000000'), FrameFault.TOO_LARGE],
    [hex('00000010 00000011'), FrameFault.HEADER_TOO_LONG],
  ] as const) {
    for (const size of [1, 5, 1000]) {
      const stream = Buffer.concat([good, bad, good]);
      const got: Buffer[] = [];
      const faults: number[] = [];
      const cutter = new FrameCutter(
        frame => got.push(Buffer.from(frame)),
        told => faults.push(told),
      );
      pushReused(cutter, stream, size);
      cutter.push(good);
      assert.equal(got, [good], `chunks of ${size}`);
      assert.equal(faults, [fault], `chunks of ${size}`);
    }
  }
});

frames('empty chunks change nothing', () => {
  const empty = new Uint8Array(0);
  const good = frameOf('{"code":1}');
  const { frames: got } = cutAll([empty, good.subarray(0, 3), empty, good.subarray(3), empty]);
  assert.equal(got, [good]);
});

frames.run();
