import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Positions, positionNames } from '../../../../runtime/memory/positions.js';

const positions = suite('positions');

positions('are seen through the same memory, each on its own, beyond 32 bits', () => {
  const writer = new Positions();
  const reader = new Positions(writer.memory);
  for (const [index, name] of positionNames.entries()) writer.publish(name, index + 2 ** 40);
  assert.equal(
    positionNames.map(name => reader.read(name)),
    positionNames.map((_, index) => index + 2 ** 40),
  );
});

positions.run();
