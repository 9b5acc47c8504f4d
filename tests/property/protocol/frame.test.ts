/** Streams of frames cut anywhere, and broken ones. The seed is printed; `RINGMQ_SEED` repeats it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_SIZE_MAX, SerializeType } from '../../../protocol/codes.js';
import { FRAME_PREFIX_SIZE, FrameCutter, peekCode, putFramePrefix, serializeTypeOf } from '../../../protocol/frame.js';
import { HeaderView } from '../../../protocol/header-view.js';
import { javaHeader, mutated, renderHeader, seed, seeded } from './generators.js';

const frames = suite('protocol/frame properties');

console.log(`frame: RINGMQ_SEED=${seed}`);

const anyFrame = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), fc.oneof(fc.nat(30), fc.nat(20_000)), fc.integer({ min: -128, max: 127 }))
  .map(([header, bodySize, type]) => {
    const frame = Buffer.alloc(FRAME_PREFIX_SIZE + header.length + bodySize, 0x2a);
    putFramePrefix(frame, 0, type, header.length, bodySize);
    frame.set(header, FRAME_PREFIX_SIZE);
    return frame;
  });
const anyStream = fc.array(anyFrame, { maxLength: 12 });
const chunkSizes = fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(12) }, fc.nat(9000)), {
  minLength: 1,
  maxLength: 12,
});

interface Cut {
  frames: Buffer[];
  faults: number[];
  copiedBytes: number;
}

/** Pushes `stream` in chunks of these sizes, again and again, each in memory that is overwritten afterwards. */
function cut(stream: Uint8Array, sizes: readonly number[]): Cut {
  const out: Cut = { frames: [], faults: [], copiedBytes: 0 };
  const cutter = new FrameCutter(
    frame => out.frames.push(Buffer.from(frame)),
    fault => out.faults.push(fault),
  );
  const chunk = new Uint8Array(9001);
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!);
    const part = stream.subarray(at, at + size);
    chunk.set(part);
    cutter.push(chunk.subarray(0, part.length));
    at += part.length;
  }
  out.copiedBytes = cutter.copiedBytes;
  return out;
}

/** What a stream holds, by the rule alone. */
function model(stream: Buffer): { frames: Buffer[]; faulty: boolean } {
  const out: Buffer[] = [];
  let at = 0;
  while (stream.length - at >= 8) {
    const length = stream.readInt32BE(at);
    const headerSize = stream.readUIntBE(at + 5, 3);
    if (length < 4 || length + 4 > FRAME_SIZE_MAX || headerSize > length - 4) return { frames: out, faulty: true };
    if (stream.length - at < length + 4) break;
    out.push(stream.subarray(at, at + length + 4));
    at += length + 4;
  }
  return { frames: out, faulty: false };
}

frames('any way of cutting gives the same frames, each byte copied at most thrice', () => {
  fc.assert(
    fc.property(anyStream, chunkSizes, (sent, sizes) => {
      const stream = Buffer.concat(sent);
      const { frames: got, faults, copiedBytes } = cut(stream, sizes);
      assert.is(got.length, sent.length);
      assert.ok(got.every((frame, index) => frame.equals(sent[index]!)));
      assert.equal(faults, []);
      assert.ok(copiedBytes <= 3 * stream.length, `${copiedBytes} of ${stream.length} bytes copied`);
    }),
    { ...seeded, numRuns: 800 },
  );
});

frames('a broken stream gives the frames before the damage, and one fault', () => {
  let faulty = 0;
  fc.assert(
    fc.property(anyStream, chunkSizes, fc.infiniteStream(fc.nat()), (sent, sizes, random) => {
      const stream = mutated(Buffer.concat(sent), random);
      const expected = model(stream);
      const got = cut(stream, sizes);
      assert.is(got.frames.length, expected.frames.length);
      assert.ok(got.frames.every((frame, index) => frame.equals(expected.frames[index]!)));
      assert.is(got.faults.length, expected.faulty ? 1 : 0);
      if (expected.faulty) faulty++;
    }),
    { ...seeded, numRuns: 1500 },
  );
  assert.ok(faulty > 50, `${faulty} streams were faulty`);
});

frames('a code that is seen at a glance is the one in the header', () => {
  let seen = 0;
  fc.assert(
    fc.property(
      javaHeader,
      fc.nat(30),
      fc.infiniteStream(fc.nat()),
      fc.boolean(),
      (header, bodySize, random, broken) => {
        // Of two codes in one header the glance sees the first and JSON.parse the last: nobody sends two.
        fc.pre(header.members.filter(([name]) => name === 'code').length <= 1);
        let bytes = Buffer.from(renderHeader(header.members, header.style, header.space));
        if (broken) bytes = mutated(bytes, random) as typeof bytes;
        fc.pre(bytes.toString('latin1').split('"code"').length <= 2);
        const frame = Buffer.alloc(FRAME_PREFIX_SIZE + bytes.length + bodySize, ',');
        putFramePrefix(frame, 0, SerializeType.JSON, bytes.length, bodySize);
        frame.set(bytes, FRAME_PREFIX_SIZE);
        const code = peekCode(frame, 0);
        if (code < 0) return;
        const view = new HeaderView();
        const end = FRAME_PREFIX_SIZE + bytes.length;
        if (!view.read(frame, FRAME_PREFIX_SIZE, end, serializeTypeOf(frame, 0))) return;
        assert.is(code, view.code);
        seen++;
      },
    ),
    { ...seeded, numRuns: 2500 },
  );
  assert.ok(seen > 300, `${seen} codes were seen`);
});

frames.run();
