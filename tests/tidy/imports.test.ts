/** Keeps the arrows between folders pointing one way, and every package with its owner. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkoutFolder } from '../support/node-process.js';
import { importFaults } from './import-rules.js';
import { importsOf, typeScriptFiles } from './source-files.js';

const imports = suite('imports');

const manifest = JSON.parse(fs.readFileSync(path.join(checkoutFolder(), 'package.json'), 'utf8'));
const dependencies = new Set<string>(Object.keys(manifest.dependencies));

/** The faults of a file made up here. */
function faultsOf(path: string, text: string): string[] {
  return importFaults({ path, text }, dependencies);
}

imports('every source file keeps to the rules', () => {
  const files = typeScriptFiles();
  assert.ok(files.length > 20, 'the sources are found');
  assert.equal(
    files.flatMap(file => importFaults(file, dependencies)),
    [],
  );
});

imports('every file that a thread or process is started with exists', () => {
  const paths = new Set(typeScriptFiles().map(file => file.path));
  const product = typeScriptFiles().filter(file => !file.path.startsWith('tests/'));
  const missing = product.flatMap(file =>
    importsOf(file)
      .filter(target => target.endsWith('.ts') && !paths.has(target))
      .map(target => `${file.path} imports ${target}`),
  );
  assert.equal(missing, []);
});

imports("OpenTelemetry's SDK is loaded when it is wanted and not before", () => {
  const product = typeScriptFiles().filter(file => !file.path.startsWith('tests/'));
  const sink = 'actors/telemetry/otlp-sink.ts';
  const importers = product.filter(file => importsOf(file).includes(sink));
  assert.equal(
    importers.map(({ path }) => path),
    ['actors/node/build-actor.ts'],
  );
  assert.not.match(importers[0]!.text, /^import [^;]*otlp-sink/m);
});

imports('all ways to import are seen', () => {
  const text = `
import fs from 'node:fs';
import type {
  A,
  B,
} from '../x/a.js';
import './effect.js';
export { b } from './b.js';
export * from './c.js';
const later = import('./d.js');
const worker = new Worker(new URL('./worker-entry.js', import.meta.url));
/** import e from './e.js'; */
// import f from './f.js';
`;
  const found = importsOf({ path: 'storage/index.ts', text });
  const wanted = [
    'node:fs',
    'x/a.ts',
    'storage/effect.ts',
    'storage/b.ts',
    'storage/c.ts',
    'storage/d.ts',
    'storage/worker-entry.ts',
  ];
  assert.equal(found.sort(), wanted.sort());
});

const refused: readonly [string, string][] = [
  ['runtime/base/clock.ts', `import { pick } from '../memory/ring.js';`],
  ['runtime/base/clock.ts', `import pino from 'pino';`],
  ['runtime/memory/ring.ts', `import { x } from '../actor/contract.js';`],
  ['runtime/actor/spawn.ts', `import { x } from '../../protocol/index.js';`],
  ['protocol/frame.ts', `import { x } from '../runtime/memory/ring.js';`],
  ['protocol/frame.ts', `import net from 'node:net';`],
  ['protocol/frame.ts', `import { Worker } from 'node:worker_threads';`],
  ['storage/index.ts', `import type { x } from '../actors/node/node.js';`],
  ['storage/index.ts', `import { x } from '../runtime/actor/spawn.js';`],
  ['storage/consume-queue.ts', `import fs from 'node:fs';`],
  ['storage/consume-queue.ts', `import fs from 'node:fs/promises';`],
  ['config/load.ts', `import { x } from '../protocol/index.js';`],
  ['client/producer.ts', `import net from 'node:net';`],
  ['client/producer.ts', `import { x } from '../storage/index.js';`],
  ['actors/send-lane/actor.ts', `import { x } from '../pull-lane/behaviour.js';`],
  ['actors/send-lane/actor.ts', `import { x } from '../pull-lane/actor.js';`],
  ['actors/send-lane/actor.ts', `import { x } from '../../client/index.js';`],
  ['actors/send-lane/actor.ts', `import { x } from '../../cli/start.js';`],
  ['actors/send-lane/actor.ts', `import { createActor } from 'xstate';`],
  ['actors/send-lane/actor.ts', `import Piscina from 'piscina';`],
  ['actors/send-lane/actor.ts', `import { wrap } from 'comlink';`],
  ['runtime/memory/ring.ts', `import { RingBuffer } from 'ringbuf.js';`],
  ['examples/send-and-pull.ts', `import { x } from '../actors/send-lane/actor.js';`],
  ['examples/send-and-pull.ts', `import { x } from '../actors/node/wiring.js';`],
  ['storage/index.ts', `import { suite } from 'uvu';`],
  ['cli/main.ts', `import lodash from 'lodash';`],
  ['cli/main.ts', `import { x } from '../actors/send-lane/actor.js';`],
  ['misc/new.ts', ''],
];

for (const [path, text] of refused) {
  imports(`refuses in ${path}: ${text}`, () => assert.is.not(faultsOf(path, text).length, 0));
}

const allowed: readonly [string, string][] = [
  ['runtime/memory/byte-ring.ts', `import { RingBuffer } from 'ringbuf.js';`],
  [
    'runtime/control/endpoint.ts',
    `import { ring } from '../memory/doorbell.js';\nimport { wrap } from 'comlink/dist/esm/comlink.js';`,
  ],
  ['storage/disk.ts', `import fs from 'node:fs';\nimport { RingError } from '../runtime/base/errors.js';`],
  [
    'actors/send-lane/actor.ts',
    `import { x } from '../commit-log-writer/mailbox.js';\nimport { y } from './behaviour.js';`,
  ],
  ['actors/send-lane/actor.ts', `import { x } from '../store-state.js';`],
  ['actors/coordinator/registrar.ts', `import { x } from '../../client/index.js';`],
  ['actors/node/broker-role.machine.ts', `import { setup } from 'xstate';`],
  ['actors/ha-sender/ha-connection.machine.ts', `import { setup } from 'xstate';`],
  ['actors/ha-sender/effects.ts', `import net from 'node:net';`],
  ['actors/node/node.ts', `import { x } from '../send-lane/actor.js';`],
  [
    'examples/send-and-pull.ts',
    `import { x } from '../client/index.js';\nimport { y } from '../actors/node/index.js';`,
  ],
  [
    'tests/unit/storage/x.test.ts',
    `import { x } from '../../../actors/send-lane/behaviour.js';\nimport fc from 'fast-check';`,
  ],
];

for (const [path, text] of allowed) {
  imports(`allows in ${path}: ${text.replaceAll('\n', ' ')}`, () => assert.equal(faultsOf(path, text), []));
}

imports.run();
