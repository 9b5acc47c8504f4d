/** The files of this checkout, and what each TypeScript file imports. Read once, for the tests of this folder. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkoutFolder } from '../support/node-process.js';

export interface SourceFile {
  /** From the root of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
}

const leftOut = new Set(['node_modules', 'dist', '.git']);

function walk(root: string, folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap(entry => {
    if (leftOut.has(entry.name)) return [];
    const name = folder ? `${folder}/${entry.name}` : entry.name;
    return entry.isDirectory() ? walk(root, name) : [name];
  });
}

/** What git tracks, and what it would track once added; without git, every file but builds and packages. */
function listFiles(root: string): string[] {
  try {
    const argv = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const said = execFileSync('git', argv, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return said.split('\0').filter(name => name && fs.existsSync(path.join(root, name)));
  } catch {
    return walk(root, '');
  }
}

let files: SourceFile[] | undefined;

/** Every text file of the checkout. */
export function textFiles(): readonly SourceFile[] {
  const root = checkoutFolder();
  files ??= [...new Set(listFiles(root))]
    .filter(name => fs.lstatSync(path.join(root, name)).isFile())
    .map(name => ({ path: name, text: fs.readFileSync(path.join(root, name), 'utf8') }))
    .filter(file => !file.text.includes('\0'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return files;
}

export function typeScriptFiles(): readonly SourceFile[] {
  return textFiles().filter(file => file.path.endsWith('.ts') && !file.path.endsWith('.d.ts'));
}

/** `./disk.js` in storage/index.ts is storage/disk.ts; anything else is a package or a part of Node. */
function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

const importStatement = /^(?:import|export)\s(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const importCall = /\bimport\(\s*'([^']+)'\s*\)/g;
/** Threads and processes are started with a file: `new URL('./worker-entry.js', import.meta.url)`. */
const fileUrl = /new URL\(\s*'(\.[^']+\.js)',\s*import\.meta\.url\s*\)/g;

/** What a file imports: paths from the root for files of ours, names for packages. */
export function importsOf(file: SourceFile): string[] {
  const code = codeOf(file.text);
  const found = [importStatement, importCall, fileUrl].flatMap(pattern => [...code.matchAll(pattern)]);
  return [...new Set(found.map(match => resolve(file.path, match[1] as string)))];
}

/** Comments and template strings may hold examples, so they are blanked. Keeps line numbers. */
export function codeOf(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ');
  return text
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, blank)
    .replace(/^[ \t]*\/\/.*$/gm, blank)
    .replace(/`(?:[^`\\]|\\.)*`/g, blank);
}

/** "piscina" of "piscina", "@scope/name" of "@scope/name/part". */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
