/** Tables fit the terminal and lose nothing. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderPairs, renderTable } from '../../../cli/table.js';
import { TestShell } from './support.js';

const table = suite('table');

table('columns stand under their titles, numbers to the right, without blanks at line ends', () => {
  const columns = ['NAME', { title: 'COUNT', right: true } as const, 'NOTE'];
  const rows = [
    ['a', 7, ''],
    ['longer', 12_345, 'yes'],
  ];
  assert.is(
    renderTable(new TestShell(), columns, rows),
    ['NAME    COUNT  NOTE', 'a           7', 'longer  12345  yes'].join('\n'),
  );
});

table('a narrow terminal wraps sentences and cuts no word', () => {
  const sentence = 'what a key does in a sentence that is too long for one line';
  const text = renderTable(new TestShell({}, 40), ['KEY', 'MEANING'], [['aVeryLongKeyThatStays', sentence]]);
  for (const line of text.split('\n')) assert.ok(line.length <= 40, line);
  assert.match(text, 'aVeryLongKeyThatStays');
  const words = text
    .split('\n')
    .slice(1)
    .map(line => line.replace('aVeryLongKeyThatStays', '').trim());
  assert.is(words.join(' '), sentence);
});

table('every word of every cell is there, whatever the width', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ059-_'), minLength: 1, maxLength: 30 });
  const cell = fc.array(word, { minLength: 1, maxLength: 8 }).map(words => words.join(' '));
  const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 10, max: 200 }), (cells, width) => {
      const text = renderTable(new TestShell({}, width), ['A', 'B', 'C'], cells);
      for (const part of cells.flat().flatMap(value => value.split(' '))) assert.ok(text.includes(part), part);
      const narrowest = cells[0]!.map((_, at) =>
        Math.max(...cells.flatMap(row => row[at]!.split(' ')).map(w => w.length)),
      );
      const least = narrowest.reduce((sum, size) => sum + size, 0) + 4;
      for (const line of text.split('\n')) assert.ok(line.length <= Math.max(width, least), line);
    }),
  );
});

table('pairs line up', () => {
  assert.is(
    renderPairs(new TestShell(), [
      ['a', 1],
      ['longer', 'x'],
    ]),
    'a       1\nlonger  x',
  );
});

table.run();
