/** The documents of this checkout, taken apart for tests. */
import fs from 'node:fs';
import path from 'node:path';
import { checkoutFolder } from '../../support/node-process.js';

export interface Document {
  /** From the root of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  readonly language: string;
  readonly code: string;
}

const folders = ['', 'docs', 'docs/decisions', 'docs/wire'];

export function readDocument(name: string): Document {
  return { path: name, text: fs.readFileSync(path.join(checkoutFolder(), name), 'utf8') };
}

/** All Markdown files of the root and of docs/. */
export function allDocuments(): Document[] {
  return folders.flatMap(folder =>
    fs
      .readdirSync(path.join(checkoutFolder(), folder))
      .filter(name => name.endsWith('.md'))
      .map(name => readDocument(folder === '' ? name : `${folder}/${name}`)),
  );
}

/** The fenced blocks of a document. */
export function codeBlocks({ text }: Document): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }));
}

/** What is left when fenced blocks, and code in a line, are taken out. */
export function proseOf({ text }: Document): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf({ text }: Document): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Commands of shell blocks: a line each, without comments, what a here-document holds left out. */
export function shellCommands(document: Document): string[] {
  const commands: string[] = [];
  for (const { language, code } of codeBlocks(document)) {
    if (!['sh', 'bash', 'shell'].includes(language)) continue;
    let end: string | undefined;
    for (const line of code.split('\n')) {
      if (end !== undefined) {
        if (line === end) end = undefined;
        continue;
      }
      end = /<<'?(\w+)'?/.exec(line)?.[1];
      const command = line.replace(/(^|\s)#.*$/, '').trim();
      if (command !== '') commands.push(...command.split(/\s+&&\s+/));
    }
  }
  return commands;
}

/** The words of a command, quotes respected. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare!,
  );
}
