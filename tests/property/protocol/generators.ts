/** Headers, texts and damage for the property tests of `protocol/`. */
import fc from 'fast-check';

const given = process.env.RINGMQ_SEED;

/** The seed of this run: `RINGMQ_SEED`, or a new one. */
export const seed = given === undefined ? Date.now() & 0x7fffffff : Number(given);

export const seeded = { seed } as const;

/** Any UTF-16, lone surrogates and control characters included. */
const utf16 = fc
  .array(
    fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) }, fc.integer({ min: 0, max: 0xffff })),
    {
      maxLength: 12,
    },
  )
  .map(units => String.fromCharCode(...units));

/** Text as headers carry it, and text they should not. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[\w%. -]{0,20}$/) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: utf16 },
  {
    weight: 2,
    arbitrary: fc.constantFrom('KEYS\u0001k1\u0002TAGS\u0001TagA', '\ufeff', '\\', '"', '\u2028', '消息 🙂'),
  },
  { weight: 2, arbitrary: fc.integer().map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'true',
      'TRUE',
      'false',
      '',
      '-',
      '9223372036854775807',
      '9007199254740993',
      '1e5',
      '+7',
    ),
  },
);

/**
 * A name of a member. None has a backslash: after one has been read, JSON.parse of Node 24 to 26 takes other escapes in
 * names for it (nodejs/node#63785), and it is the measure here.
 */
export const anyName = anyText.filter(name => !name.includes('\\'));

const extName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'abcdefghijklmn', 'topic', 'queueId', 'consumerGroup', 'bname') },
  { weight: 2, arbitrary: anyName },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '0', '17', 'code', 'extFields', '') },
);

/** An ext value: nearly always text, else what ali-ons sends, else what nobody should. */
const extValue = fc.oneof(
  { weight: 20, arbitrary: anyText },
  { weight: 4, arbitrary: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.boolean()) },
  { weight: 1, arbitrary: fc.oneof(fc.constant(null), fc.double({ noDefaultInfinity: true, noNaN: true })) },
);

type Value = string | number | boolean | null | readonly (readonly [string, Value])[] | { readonly raw: string };

/** One member of a header: names may be given twice, so it is a list and no object. */
export type Member = readonly [string, Value];

const extFields = fc.array(fc.tuple(extName, extValue), { maxLength: 16 }) as fc.Arbitrary<Member[]>;
const languages = fc.constantFrom('JAVA', 'JAVA', 'JAVA', 'CPP', 'GO', 'OTHER', 'COBOL', 'JAXX', '');

const usualMember: fc.Arbitrary<Member> = fc.oneof(
  fc.tuple(fc.constantFrom('code', 'flag', 'opaque', 'version'), fc.integer()),
  fc.tuple(fc.constant('language'), languages),
  fc.tuple(fc.constant('remark'), anyText),
  fc.tuple(fc.constant('serializeTypeCurrentRPC'), fc.constant('JSON')),
  fc.tuple(fc.constant('extFields'), extFields),
);

const unusualMember: fc.Arbitrary<Member> = fc.oneof(
  fc.tuple(fc.constantFrom('remark', 'extFields', 'code', 'opaque'), fc.constant(null)),
  fc.tuple(
    anyName.filter(name => !known.has(name)),
    anyText,
  ),
  fc.tuple(
    anyName.filter(name => !known.has(name)),
    fc.jsonValue({ maxDepth: 2 }).map(value => ({ raw: JSON.stringify(value) })),
  ),
);
const known = new Set(['code', 'flag', 'opaque', 'version', 'language', 'remark', 'extFields']);

/** A header as Java writes it: all members once, by name. */
const javaMembers: fc.Arbitrary<Member[]> = fc
  .tuple(fc.nat(400), extFields, fc.integer({ min: 0, max: 3 }), fc.integer(), fc.option(anyText), fc.nat(600))
  .map(([code, ext, flag, opaque, remark, version]) => [
    ['code', code],
    ['extFields', ext],
    ['flag', flag],
    ['language', 'JAVA'],
    ['opaque', opaque],
    ...(remark === null ? [] : [['remark', remark] as const]),
    ['serializeTypeCurrentRPC', 'JSON'],
    ['version', version],
  ]);

const anyMembers = fc.array(fc.oneof({ weight: 5, arbitrary: usualMember }, { weight: 1, arbitrary: unusualMember }), {
  maxLength: 9,
});

/** How texts are written: what need not be escaped raw, or beyond ASCII escaped, or everything. */
export type Style = 'raw' | 'ascii' | 'UPPER' | 'all';

export const javaHeader: fc.Arbitrary<{ members: Member[]; style: Style; space: string }> = fc.record({
  members: fc.oneof({ weight: 2, arbitrary: javaMembers }, { weight: 1, arbitrary: anyMembers }),
  style: fc.constantFrom('raw', 'raw', 'ascii', 'UPPER', 'all') as fc.Arbitrary<Style>,
  space: fc.constantFrom('', '', '', '', '', '', ' ', '\n\t'),
});

export function renderHeader(members: readonly Member[], style: Style, space: string): string {
  return renderValue(members, style, space);
}

function renderValue(value: Value, style: Style, space: string): string {
  if (typeof value === 'string') return renderText(value, style);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('raw' in value) return value.raw;
  // Names are written raw: escaped ones, which nobody sends, would hide the fast way.
  const nameStyle = style === 'all' ? 'all' : 'raw';
  const members = value.map(
    ([name, member]) => `${space}${renderText(name, nameStyle)}${space}:${space}${renderValue(member, style, space)}`,
  );
  return `{${members.join(`${space},`)}${space}}`;
}

function renderText(text: string, style: Style): string {
  let out = '';
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const hex = unit.toString(16).padStart(4, '0');
    if (style === 'all' || (style !== 'raw' && unit >= 0x7f))
      out += `\\u${style === 'UPPER' ? hex.toUpperCase() : hex}`;
    else if (unit >= 0xd800 && unit < 0xe000) out += text[index];
    else out += JSON.stringify(text[index]).slice(1, -1);
  }
  return `"${out}"`;
}

const interesting = Buffer.from('"\\{}[]:,0189-+.eEtfnu \t\n\x00\x1f\x7f\x80\xc3\xed\xff', 'latin1');
const tokens = [
  '\\u',
  '\\ud83d',
  '\\"',
  '\\\\',
  '""',
  '{}',
  'null',
  'true',
  '1',
  '-0',
  '01',
  '1e400',
  ',"code":1',
  '\ufeff',
];

/** A copy with one to four injuries. `random` decides what and where. */
export function mutated(original: Uint8Array, random: Iterator<number>): Buffer {
  const next = (limit: number): number => (random.next().value as number) % Math.max(1, limit);
  let bytes: Buffer = Buffer.from(original);
  for (let injuries = 1 + next(4); injuries > 0; injuries--) {
    const at = next(bytes.length + 1);
    const to = Math.min(bytes.length, at + 1 + next(8));
    switch (next(8)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << next(8);
        break;
      case 1:
      case 2:
        if (at < bytes.length) bytes[at] = interesting[next(interesting.length)]!;
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 6:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(tokens[next(tokens.length)]!), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from([interesting[next(interesting.length)]!]),
          bytes.subarray(at),
        ]);
    }
  }
  return bytes;
}
