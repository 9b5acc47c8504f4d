/** The drawing in docs/ARCHITECTURE.md is that of the wiring table, and the rooms it tells of are those there are. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { actorKinds, drawWiring, positionTable } from '../../../actors/node/wiring.js';
import { codeBlocks, readDocument } from './support.js';

const drawing = suite('docs: drawing');
const architecture = readDocument('docs/ARCHITECTURE.md');

drawing('is the one drawWiring() makes', () => {
  const drawn = codeBlocks(architecture).filter(({ language }) => language === 'mermaid');
  assert.equal(drawn.length, 1);
  assert.fixture(drawn[0]!.code, drawWiring());
});

/** The first cells of the table below a heading. */
function firstCells(heading: string): string[] {
  const section = architecture.text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| ([^|]+?) \|/gm)].map(([, cell = '']) => cell);
  return rows.slice(1);
}

drawing('every room has its row', () => {
  const rooms = Object.keys(actorKinds).map(kind => kind.replaceAll('-', ' '));
  assert.equal(firstCells('The rooms').sort(), rooms.sort());
});

drawing('every position has its row', () => {
  const rows = firstCells('Shared words').join(' ');
  for (const { name } of positionTable) assert.ok(rows.includes(`*${name}*`), name);
});

drawing.run();
