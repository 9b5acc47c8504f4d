/** Decision records: numbered without a gap, all in the list, all of one shape. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allDocuments, readDocument } from './support.js';

const decisions = suite('docs: decisions');
const list = readDocument('docs/decisions/README.md');
const records = allDocuments()
  .filter(({ path }) => /^docs\/decisions\/\d/.test(path))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

decisions('are numbered from 0001 on', () => {
  assert.ok(records.length > 0);
  const numbers = records.map(({ path }) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]);
  assert.equal(
    numbers,
    records.map((_, index) => String(index + 1).padStart(4, '0')),
  );
});

decisions('are in the list, in order, under their titles', () => {
  const rows = [...list.text.matchAll(/^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$/gm)].map(([, number, file, title]) => [
    `docs/decisions/${file}`,
    `# ${number} ${title}`,
  ]);
  assert.equal(
    rows,
    records.map(({ path, text }) => [path, text.split('\n')[0]!]),
  );
});

decisions('have context, choice, rejected and consequence', () => {
  for (const { path, text } of records) {
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    assert.equal(headings, ['Context', 'Choice', 'Rejected', 'Consequence'], path);
  }
});

decisions.run();
