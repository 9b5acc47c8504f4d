/** Whole commands, both ways and broken. The seed is printed; `RINGMQ_SEED` repeats it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { languageNames, SerializeType } from '../../../protocol/codes.js';
import { decodeCommand, encodeCommand, type RemotingCommand } from '../../../protocol/command.js';
import { RingError } from '../../../runtime/base/errors.js';
import { anyName, anyText, mutated, seed, seeded } from './generators.js';

const commands = suite('protocol/command properties');

console.log(`command: RINGMQ_SEED=${seed}`);

/** Lone surrogates have no UTF-8; the binary form has no empty texts. */
const text = anyText.map(value => value.toWellFormed());
const name = anyName.map(value => value.toWellFormed());
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });

const anyCommand: fc.Arbitrary<RemotingCommand> = fc
  .record(
    {
      code: int16,
      language: fc.integer({ min: 0, max: languageNames.length - 1 }),
      version: int16,
      opaque: fc.integer(),
      flag: fc.integer(),
      remark: fc.option(text),
      extFields: fc.dictionary(name, text, { maxKeys: 20, noNullPrototype: true }),
      body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 })),
      serializeType: fc.constantFrom(SerializeType.JSON, SerializeType.ROCKETMQ),
    },
    { noNullPrototype: true },
  )
  .map(command => (command.serializeType === SerializeType.JSON ? command : withoutEmptyTexts(command)));

function withoutEmptyTexts(command: RemotingCommand): RemotingCommand {
  const entries = Object.entries(command.extFields).filter(([name, value]) => name !== '' && value !== '');
  return { ...command, remark: command.remark || null, extFields: Object.fromEntries(entries) };
}

commands('what is written is read back, in both forms', () => {
  fc.assert(
    fc.property(anyCommand, command => {
      const frame = encodeCommand(command);
      assert.equal(decodeCommand(frame), command);
      assert.is(Buffer.from(frame).readInt32BE(0), frame.length - 4);
    }),
    { ...seeded, numRuns: 2000 },
  );
});

commands('what was read and written again is the same frame', () => {
  fc.assert(
    fc.property(anyCommand, command => {
      const frame = encodeCommand(command);
      assert.equal(encodeCommand(decodeCommand(frame)), frame);
    }),
    { ...seeded, numRuns: 500 },
  );
});

commands('a broken frame is a RingError, or a command that can be written again', () => {
  const counts = { read: 0, refused: 0 };
  fc.assert(
    fc.property(anyCommand, fc.infiniteStream(fc.nat()), (original, random) => {
      const frame = mutated(encodeCommand(original), random);
      let command: RemotingCommand;
      try {
        command = decodeCommand(frame);
      } catch (error) {
        assert.ok(error instanceof RingError && error.code === 'PROTOCOL_VIOLATION', String(error));
        counts.refused++;
        return;
      }
      counts.read++;
      const again = decodeCommand(encodeCommand(command));
      // A text of the JSON form may hold half a surrogate; its copy may not.
      assert.equal(again.extFields, command.extFields);
      assert.equal([again.code, again.flag, again.opaque], [command.code, command.flag, command.opaque]);
      assert.equal(again.body, command.body);
    }),
    { ...seeded, numRuns: 6000 },
  );
  assert.ok(counts.read > 500 && counts.refused > 500, JSON.stringify(counts));
});

commands.run();
