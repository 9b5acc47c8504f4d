/** Links between documents, and from them to files, lead somewhere. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkoutFolder } from '../../support/node-process.js';
import { allDocuments, anchorsOf, type Document, proseOf } from './support.js';

const links = suite('docs: links');
const documents = allDocuments();

/** "path: target" for each link of a document that leads nowhere. */
function brokenLinks(document: Document, others: readonly Document[]): string[] {
  const broken: string[] = [];
  for (const [, target = ''] of proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const name = file === '' ? document.path : path.posix.join(path.posix.dirname(document.path), file);
    if (file !== '' && !fs.existsSync(path.join(checkoutFolder(), name))) broken.push(`${document.path}: ${target}`);
    else if (anchor !== undefined) {
      const page = file === '' ? document : others.find(other => other.path === name);
      if (page === undefined || !anchorsOf(page).includes(anchor)) broken.push(`${document.path}: ${target}`);
    }
  }
  return broken;
}

links('all lead somewhere', () => {
  assert.ok(documents.length >= 10, 'the documents are found');
  assert.equal(
    documents.flatMap(document => brokenLinks(document, documents)),
    [],
  );
});

links('a link into nothing is found', () => {
  const text =
    '# One heading\n[a](no-such-file.md) [b](#one-heading) [c](#another) [d](tuning.md#memory) [e](tuning.md#x)';
  assert.equal(brokenLinks({ path: 'docs/made-up.md', text }, documents), [
    'docs/made-up.md: no-such-file.md',
    'docs/made-up.md: #another',
    'docs/made-up.md: tuning.md#x',
  ]);
});

links('README leads to every document of docs/', () => {
  const readme = documents.find(({ path: name }) => name === 'README.md')!;
  const wanted = documents.map(({ path: name }) => name).filter(name => /^docs\/[^/]+\.md$/.test(name));
  assert.equal(
    wanted.filter(name => !readme.text.includes(`](${name})`)),
    [],
  );
});

links.run();
