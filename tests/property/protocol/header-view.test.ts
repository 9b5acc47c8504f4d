/**
 * The fast scan of a header against `JSON.parse`, on headers as clients write them and on broken ones; the binary
 * header on garbage. The seed is printed; `RINGMQ_SEED` repeats it.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { languageNames, SerializeType } from '../../../protocol/codes.js';
import { HeaderView } from '../../../protocol/header-view.js';
import { SendMessageIndex } from '../../../protocol/headers/send-message.js';
import { anyText, javaHeader, type Member, mutated, renderHeader, seed, seeded } from './generators.js';

const headers = suite('protocol/header-view properties');

console.log(`header-view: RINGMQ_SEED=${seed}`);

const AT = 16;
const encoder = new TextEncoder();

/** Surroundings that would be taken for a part of the header by a reader that goes too far. */
const surroundings = ['\0', '"', '{"a":"b"}', '}}}}', ',"code":7}', ':1,', '\\u0041"', '0', 'ue}', '\xff\x80'].map(
  text => Buffer.from(text, 'latin1'),
);

/** A view of `header`, which stands between repetitions of `surrounding`. */
function readAmong(header: Uint8Array, surrounding: Uint8Array, type: number): HeaderView | undefined {
  const memory = new Uint8Array(AT + header.length + 64);
  for (let index = 0; index < memory.length; index++) memory[index] = surrounding[index % surrounding.length]!;
  // What follows the header begins with the begin of the surrounding.
  for (let index = AT + header.length; index < memory.length; index++) {
    memory[index] = surrounding[(index - AT - header.length) % surrounding.length]!;
  }
  memory.set(header, AT);
  const view = new HeaderView();
  return view.read(memory, AT, AT + header.length, type) ? view : undefined;
}

function parse(header: Uint8Array): HeaderView | undefined {
  const view = new HeaderView();
  return view.parseJson(header, 0, header.length) ? view : undefined;
}

const scratch = new Uint8Array(70_000);

/** All that a handler can learn from a view. */
function contentOf(view: HeaderView): unknown {
  const fields = view.toObject();
  const values = Object.keys(fields).map(name => {
    const index = view.find(encoder.encode(name));
    const copied = Buffer.from(scratch.subarray(3, view.copyValue(index, scratch, 3))).toString();
    return { name, copied, integer: view.integer(index, 42), boolean: view.boolean(index), text: view.string(index) };
  });
  const { code, flag, opaque, version, language } = view;
  return { code, flag, opaque, version, language, fields, values };
}

/** Reads `header` both ways, among a third of the surroundings, and demands the same; returns what it read. */
function compare(header: Uint8Array): HeaderView | undefined {
  const slow = parse(header);
  const expected = slow && JSON.stringify(contentOf(slow));
  let fast: HeaderView | undefined;
  for (const surrounding of surroundings.filter((_, index) => (index + header.length) % 3 === 0)) {
    fast = readAmong(header, surrounding, SerializeType.JSON);
    const got = fast && JSON.stringify(contentOf(fast));
    assert.is(got, expected, `${JSON.stringify(Buffer.from(header).toString('latin1'))} before ${surrounding}`);
  }
  return fast;
}

/** What the members of a generated header say, by the rules of the specification. */
function expectedFields(members: readonly Member[]): unknown {
  const header = JSON.parse(renderHeader(members, 'raw', '')) as Record<string, never>;
  const ext = Object.entries((header.extFields ?? {}) as Record<string, unknown>).filter(([, value]) => value !== null);
  const language = header.language === undefined ? 0 : languageNames.indexOf(header.language);
  return {
    numbers: [header.code ?? 0, header.flag ?? 0, header.opaque ?? 0, header.version ?? 0],
    language: language < 0 ? languageNames.indexOf('OTHER') : language,
    ext: ext.map(([name, value]) => [name.toWellFormed(), String(value).toWellFormed()]),
  };
}

headers('headers as clients write them are read as JSON.parse reads them', () => {
  let fast = 0;
  let runs = 0;
  fc.assert(
    fc.property(javaHeader, ({ members, style, space }) => {
      const view = compare(Buffer.from(renderHeader(members, style, space)));
      assert.ok(view, 'a header is accepted');
      if (!view) return;
      const { code, flag, opaque, version, language } = view;
      const ext = Object.entries(view.toObject());
      assert.equal({ numbers: [code, flag, opaque, version], language, ext }, expectedFields(members));
      fast += 1 - view.fallbacks;
      runs++;
    }),
    { ...seeded, numRuns: 3000 },
  );
  assert.ok(fast > runs / 4, `${fast} of ${runs} took the fast way`);
  assert.ok(fast < runs, 'some took the slow way');
});

headers('broken headers are accepted and refused alike, and read alike', () => {
  const counts = { fast: 0, slow: 0, refused: 0 };
  fc.assert(
    fc.property(javaHeader, fc.infiniteStream(fc.nat()), ({ members, style, space }, random) => {
      const header = mutated(Buffer.from(renderHeader(members, style, space)), random);
      const view = compare(header);
      if (!view) counts.refused++;
      else if (view.fallbacks === 0) counts.fast++;
      else counts.slow++;
    }),
    { ...seeded, numRuns: 12_000 },
  );
  const text = JSON.stringify(counts);
  assert.ok(counts.fast > 100 && counts.slow > 100 && counts.refused > 100, text);
});

headers('a header like one before is read alike, field by field', () => {
  const counts = { recalled: 0, other: 0, refused: 0 };
  // Half of the changes make a digit of a digit; the others anything of anything.
  const change = fc.record({ at: fc.nat(), digit: fc.boolean(), to: fc.integer({ min: 0, max: 255 }) });
  const ext = {
    a: 'group',
    b: 'Topic',
    e: '3',
    g: '1795423265496',
    i: 'UNIQ_KEY\u00010A2A9F7328FAD8\u0002WAIT\u0001true',
  };
  const members: Member[] = [
    ['code', 310],
    ['extFields', Object.entries(ext)],
    ['flag', 0],
    ['opaque', 1_700_000_000],
  ];
  const usual = { members, style: 'raw', space: '' } as const;
  const index = new SendMessageIndex();
  const expectedIndex = new SendMessageIndex();
  fc.assert(
    fc.property(
      fc.oneof(javaHeader, fc.constant(usual)),
      fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
      ({ members, style, space }, variants) => {
        const original = Buffer.from(renderHeader(members, style, space));
        const view = new HeaderView(true);
        const memory = new Uint8Array(new SharedArrayBuffer(original.length + 40)).fill(0x22);
        for (const changes of [[], ...variants]) {
          const header = Buffer.from(original);
          const digits = [...header.keys()].filter(at => header[at]! >= 0x30 && header[at]! <= 0x39);
          for (const { at, digit, to } of changes) {
            if (digit && digits.length > 0) header[digits[at % digits.length]!] = 0x30 + (to % 10);
            else header[at % header.length] = to;
          }
          const start = 8 + ((changes[0]?.at ?? 0) % 8);
          memory.set(header, start);
          const accepted = view.read(memory, start, start + header.length, SerializeType.JSON);
          const expected = parse(header);
          const text = JSON.stringify(header.toString('latin1'));
          assert.is(accepted, expected !== undefined, text);
          if (!accepted || expected === undefined) {
            counts.refused++;
            continue;
          }
          assert.is(JSON.stringify(contentOf(view)), JSON.stringify(contentOf(expected)), text);
          index.read(view, 310);
          expectedIndex.read(expected, 310);
          const valuesOf = (of: HeaderView, slots: Int16Array): string[] => [...slots].map(slot => of.string(slot));
          assert.equal(valuesOf(view, index.slots), valuesOf(expected, expectedIndex.slots), text);
          if (changes.length > 0 && view.shape !== undefined) counts.recalled++;
          else counts.other++;
        }
      },
    ),
    { ...seeded, numRuns: 3000 },
  );
  const text = JSON.stringify(counts);
  assert.ok(counts.recalled > 1000 && counts.other > 1000 && counts.refused > 1000, text);
});

headers('any bytes are read or refused alike', () => {
  const token = fc.constantFrom(
    ...['{', '}', '"', ':', ',', '\\', '\\u00', '"code"', '"extFields":{', '"a":', '1', '-', 'true', 'null', ' ', 'ü'],
  );
  const tokens = fc.array(token, { maxLength: 24 }).map(parts => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(tokens, fc.uint8Array({ maxLength: 60 })), header => void compare(header)),
    {
      ...seeded,
      numRuns: 3000,
    },
  );
});

// ---- ROCKETMQ binary ----

const int32 = fc.integer();
const entry = fc.tuple(anyText.filter(Boolean), anyText.filter(Boolean));
const binaryHeader = fc.record({
  code: fc.integer({ min: -0x8000, max: 0x7fff }),
  language: fc.integer({ min: 0, max: languageNames.length - 1 }),
  version: fc.integer({ min: -0x8000, max: 0x7fff }),
  opaque: int32,
  flag: int32,
  remark: anyText,
  ext: fc.array(entry, { maxLength: 12 }),
});
type BinaryHeader = typeof binaryHeader extends fc.Arbitrary<infer Header> ? Header : never;

/** Written from the table in spec remoting 1.2, without the code under test. */
function renderBinary(header: BinaryHeader): Buffer {
  const sized = (text: string, sizeBytes: 2 | 4): Buffer => {
    const bytes = Buffer.from(text);
    const size = Buffer.alloc(sizeBytes);
    size.writeIntBE(bytes.length, 0, sizeBytes);
    return Buffer.concat([size, bytes]);
  };
  const ext = Buffer.concat(header.ext.flatMap(([name, value]) => [sized(name, 2), sized(value, 4)]));
  const fixed = Buffer.alloc(13);
  fixed.writeInt16BE(header.code, 0);
  fixed.writeInt8(header.language, 2);
  fixed.writeInt16BE(header.version, 3);
  fixed.writeInt32BE(header.opaque, 5);
  fixed.writeInt32BE(header.flag, 9);
  const extSize = Buffer.alloc(4);
  extSize.writeInt32BE(ext.length);
  return Buffer.concat([fixed, sized(header.remark, 4), extSize, ext]);
}

headers('a binary header is read back', () => {
  fc.assert(
    fc.property(binaryHeader, fc.constantFrom(...surroundings), (header, surrounding) => {
      const view = readAmong(renderBinary(header), surrounding, SerializeType.ROCKETMQ);
      assert.ok(view);
      if (!view) return;
      const { code, language, version, opaque, flag } = view;
      const { ext, remark: _, ...fixed } = header;
      assert.equal({ code, language, version, opaque, flag }, fixed);
      const expected: [string, string][] = ext.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]);
      const read = Array.from({ length: view.count }, (_, index) => [view.key(index), view.string(index)]);
      assert.equal(read, expected);
    }),
    { ...seeded, numRuns: 1500 },
  );
});

headers('garbage in the binary form: no throw, nothing outside is read', () => {
  const counts = { read: 0, refused: 0 };
  const broken = fc
    .tuple(binaryHeader, fc.infiniteStream(fc.nat()))
    .map(([header, random]) => mutated(renderBinary(header), random));
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: broken }, fc.uint8Array({ maxLength: 80 })), header => {
      const outcomes = surroundings.map(surrounding => {
        const view = readAmong(header, surrounding, SerializeType.ROCKETMQ);
        if (view === undefined) return 'refused';
        for (let index = 0; index < view.count; index++) {
          const ends = [view.keyStart[index]!, view.keyEnd[index]!, view.valueStart[index]!, view.valueEnd[index]!];
          assert.ok(ends[0]! >= AT && ends[3]! <= AT + header.length, 'ranges lie in the header');
          assert.ok(ends[0]! < ends[1]! && ends[1]! < ends[2]! && ends[2]! < ends[3]!, 'ranges are in order');
        }
        return JSON.stringify(contentOf(view));
      });
      assert.is(new Set(outcomes).size, 1, 'what stands around the header makes no difference');
      if (outcomes[0] === 'refused') counts.refused++;
      else counts.read++;
    }),
    { ...seeded, numRuns: 6000 },
  );
  assert.ok(counts.read > 100 && counts.refused > 100, JSON.stringify(counts));
});

headers.run();
