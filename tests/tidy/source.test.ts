/** What every file keeps to: width, length, no left-overs, nothing of one machine, nothing that nobody uses. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SourceFile } from './source-files.js';
import { codeOf, importsOf, textFiles, typeScriptFiles } from './source-files.js';

const source = suite('source');

const columnsMax = 120;
const linesMax = 450;
const linesMaxOfTests = 650;
const linesWarned = 300;

interface LineRule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Which files it is about; all text files unless told. */
  readonly files?: RegExp;
  readonly except?: RegExp;
  /** Look at code only, not at comments. */
  readonly codeOnly?: boolean;
}

const typeScript = /\.ts$/;

const lineRules: readonly LineRule[] = [
  // Of comments: the formatter sees to code, and no formatter breaks a long text.
  {
    what: `a comment of more than ${columnsMax} columns`,
    pattern: new RegExp(`^(?=\\s*(//|/\\*|\\*)).{${columnsMax + 1},}$`, 'u'),
    files: typeScript,
  },
  {
    what: 'console',
    pattern: /\bconsole\./,
    files: typeScript,
    except: /^(cli|examples|bench|tests)\//,
    codeOnly: true,
  },
  // In pieces, so that this file does not break its own rule.
  {
    what: 'left to do',
    pattern: new RegExp(`\\b(${['TO', 'FIX', 'XX', 'HA'].map((a, i) => a + ['DO', 'ME', 'X', 'CK'][i]).join('|')})\\b`),
  },
  { what: 'a test that hides the others', pattern: /^\s*\w+\.only\(/, files: /^tests\/.*\.ts$/, codeOnly: true },
  // "rocket" is the user of configurations that others published, "tester" one made up for tests.
  {
    what: 'a path of one machine',
    pattern: /(?<![\w.$})\]-])\/(home\/(?!rocket\/|tester\b)|root\/|work\/|Users\/)[\w.-]/,
  },
  {
    what: 'a package registry',
    pattern: /https?:\/\/[^/\s"']*\b(npmjs|registry|artifactory|nexus|verdaccio|jfrog|pypi)\b/i,
  },
  { what: 'a resolved address', pattern: /^\s*"resolved":/, files: /(^|\/)package-lock\.json$/ },
];

/** "path:line: what" for each line that breaks a rule. */
function lineFaults(file: SourceFile): string[] {
  const faults: string[] = [];
  for (const rule of lineRules) {
    if (rule.files && !rule.files.test(file.path)) continue;
    if (rule.except?.test(file.path)) continue;
    const lines = (rule.codeOnly ? codeOf(file.text) : file.text).split('\n');
    lines.forEach((line, index) => {
      if (rule.pattern.test(line)) faults.push(`${file.path}:${index + 1}: ${rule.what}`);
    });
  }
  return faults;
}

/** Wired in elsewhere than by an import: tests, programs, public doors. */
const entryPoints: readonly RegExp[] = [
  /^protocol\/index\.ts$/,
  /^tests\/chaos\//,
  /^tests\/.*\.test\.ts$/,
  /^tests\/run\.ts$/,
  /^(examples|bench)\//,
  /^actors\/node\/index\.ts$/,
  /^client\/index\.ts$/,
];

/** Source files named by their built path in launchers, scripts and package.json: "dist/cli/main.js". */
function namedElsewhere(files: readonly SourceFile[]): Set<string> {
  const named = new Set<string>();
  for (const file of files.filter(({ path }) => /^(bin|\.ci)\/|^package\.json$/.test(path))) {
    for (const [, name] of file.text.matchAll(/\bdist\/([\w./-]+)\.js\b/g)) named.add(`${name}.ts`);
  }
  return named;
}

/** The unit or property test of a file does not count as somebody who uses it. */
function isOwnTest(test: string, subject: string): boolean {
  return test.replace(/^tests\/(unit|property)\//, '').replace(/\.test\.ts$/, '.ts') === subject;
}

/** Started by hand: rigs. */
const program = /^runAsProgram\(import\.meta\.filename/m;

function unused(files: readonly SourceFile[]): string[] {
  const used = namedElsewhere(files);
  for (const file of files) if (program.test(file.text)) used.add(file.path);
  const sources = files.filter(file => typeScript.test(file.path) && !file.path.endsWith('.d.ts'));
  for (const file of sources) {
    for (const target of importsOf(file)) if (!isOwnTest(file.path, target)) used.add(target);
  }
  return sources.map(file => file.path).filter(path => !used.has(path) && !entryPoints.some(entry => entry.test(path)));
}

source('no line breaks a rule', () => {
  assert.ok(textFiles().length > 20, 'the files are found');
  assert.equal(textFiles().flatMap(lineFaults), []);
});

source('no file is longer than it should be', () => {
  const lengths = typeScriptFiles().map(file => ({ path: file.path, lines: file.text.split('\n').length - 1 }));
  const long = lengths.filter(({ lines }) => lines > linesWarned).map(({ path, lines }) => `${path}: ${lines} lines`);
  if (long.length > 0) console.log(`\nlonger than ${linesWarned} lines:\n  ${long.join('\n  ')}`);
  assert.equal(
    lengths.filter(({ path, lines }) => lines > (path.startsWith('tests/') ? linesMaxOfTests : linesMax)),
    [],
  );
});

source('every file is used', () => {
  assert.equal(unused(textFiles()), []);
});

// Each of these must be found, or the tests above prove nothing.
const planted: readonly [string, string][] = [
  ['storage/a.ts', `// ${'x'.repeat(columnsMax)}`],
  ['storage/a.ts', `  console.log('here');`],
  ['tests/unit/a.test.ts', `something.only('alone', () => {});`],
  ['docs/a.md', `// ${'TO'}${'DO'}: later`],
  ['docs/a.md', `see /${'home'}/somebody/notes`],
  ['bin/tool', `cd "/${'work'}/main"`],
  ['docs/a.md', `from https://${'registry'}.example.org/x`],
  ['package-lock.json', `      "resolved": "x",`],
];

for (const [path, text] of planted) {
  source(`refuses in ${path}: ${text.slice(0, 40)}`, () => assert.is.not(lineFaults({ path, text }).length, 0));
}

const harmless: readonly [string, string][] = [
  ['storage/a.ts', `//${'x'.repeat(columnsMax - 2)}`],
  ['cli/a.ts', `console.log('for people');`],
  ['storage/a.ts', `// console.log('an example');`],
  ['storage/a.ts', 'const example = `console.log(1)`;'],
  ['storage/a.ts', `import './${'work'}/plan.js';`],
  ['docs/a.md', `storePathRootDir=/${'home'}/rocket/store`],
];

for (const [path, text] of harmless) {
  source(`allows in ${path}: ${text.slice(0, 40)}`, () => assert.equal(lineFaults({ path, text }), []));
}

source('finds a file that only its own test imports', () => {
  const files: SourceFile[] = [
    { path: 'storage/dead.ts', text: '' },
    { path: 'storage/live.ts', text: '' },
    { path: 'storage/worker.ts', text: '' },
    { path: 'cli/main.ts', text: `import '../storage/live.js';\nnew URL('../storage/worker.js', import.meta.url);` },
    { path: 'bin/ringmq', text: `import '../dist/cli/main.js';` },
    { path: 'tests/unit/storage/dead.test.ts', text: `import '../../../storage/dead.js';` },
  ];
  assert.equal(unused(files), ['storage/dead.ts']);
});

source.run();
