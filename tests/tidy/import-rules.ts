/** Who may import whom, as data. The reasons are in docs/ARCHITECTURE.md. */
import type { SourceFile } from './source-files.js';
import { importsOf, packageName } from './source-files.js';

interface FolderRule {
  /** The files it is about; the first rule that fits a file counts. */
  readonly files: RegExp;
  /** Files of ours it may import. Its own folder is always allowed. */
  readonly may: readonly RegExp[];
}

const base = /^runtime\/base\//;
const runtime = /^runtime\//;
const protocol = /^protocol\//;
const storage = /^storage\//;
const config = /^config\//;
const client = /^client\//;
/** What an actor shows to other actors. */
const actorDoors = /^actors\/[^/]+\/(mailbox|control)\.ts$/;
/** What several rooms share: tables in shared memory, records that more than one room reads. */
const actorsCommon = /^actors\/[^/]+\.ts$/;
/** The composition root makes every room, so it sees their insides. */
const actorsAsNodeSeesThem = /^actors\//;

const folderRules: readonly FolderRule[] = [
  { files: base, may: [] },
  { files: /^runtime\/memory\//, may: [base] },
  { files: runtime, may: [runtime] },
  { files: protocol, may: [base] },
  { files: storage, may: [protocol, base] },
  { files: config, may: [base] },
  { files: client, may: [protocol, base] },
  // The composition root.
  { files: /^actors\/node\//, may: [runtime, storage, protocol, config, client, actorsCommon, actorsAsNodeSeesThem] },
  { files: actorsCommon, may: [runtime, storage, protocol, config, actorsCommon, actorDoors] },
  {
    files: /^actors\/(coordinator|forwarder|ha-receiver)\//,
    may: [runtime, storage, protocol, config, client, actorsCommon, actorDoors],
  },
  { files: /^actors\//, may: [runtime, storage, protocol, config, actorsCommon, actorDoors] },
  // The outermost layer: nothing imports it.
  { files: /^cli\//, may: [/^actors\/node\//, runtime, storage, protocol, config, client] },
  { files: /^examples\//, may: [client, /^actors\/node\/index\.ts$/, config] },
  { files: /^(tests|bench)\//, may: [/./] },
];

const testsAndBench = /^(tests|bench)\//;

const otlpSink = /^(actors\/telemetry\/otlp-sink\.ts$|tests\/|bench\/)/;

/** Packages and parts of Node that have owners. What is not listed may be imported by everybody but the floor. */
const packageOwners: Readonly<Record<string, RegExp>> = {
  'ringbuf.js': /^(runtime\/memory\/byte-ring\.ts$|tests\/|bench\/)/,
  piscina: /^(runtime\/pool\/|tests\/|bench\/)/,
  comlink: /^(runtime\/control\/|tests\/|bench\/)/,
  pino: /^(runtime\/log\/|tests\/|bench\/)/,
  'pino-pretty': /^(runtime\/log\/|tests\/|bench\/)/,
  'rotating-file-stream': /^(runtime\/log\/|tests\/|bench\/)/,
  xstate: /^(.*\.machine\.ts$|actors\/node\/|runtime\/actor\/supervisor\.ts$|tests\/)/,
  commander: /^cli\//,
  'cli-table3': /^cli\//,
  // The API is for who makes spans; the SDK for the one room that exports them.
  '@opentelemetry/api': /^(actors\/telemetry\/otlp-sink\.ts$|client\/spans\.ts$|tests\/|bench\/)/,
  '@opentelemetry/core': otlpSink,
  '@opentelemetry/exporter-trace-otlp-http': otlpSink,
  '@opentelemetry/resources': otlpSink,
  '@opentelemetry/sdk-trace': otlpSink,
  '@opentelemetry/context-async-hooks': /^tests\//,
  uvu: /^(tests|bench)\//,
  'fast-check': /^(tests|bench)\//,
  'ali-ons': /^tests\//,
  'node:fs':
    /^(client\/local-offset-store\.ts$|storage\/(disk|process-probe)\.ts$|actors\/remoting\/connection\.ts$|cli\/|examples\/|tests\/|bench\/)/,
  'node:net': /^(actors\/(remoting|ha-[a-z]+)\/|client\/connection\.ts$|tests\/|bench\/)/,
};

/** Nothing below a folder that does no I/O and has no threads. */
const pureFolders: readonly { readonly files: RegExp; readonly never: RegExp }[] = [
  { files: protocol, never: /^node:(fs|net|worker_threads)/ },
  { files: storage, never: /^node:(net|worker_threads)/ },
  { files: config, never: /^node:(net|worker_threads)/ },
];

/** "runtime/memory" of runtime/memory/ring.ts, "protocol" of protocol/headers/send.ts. */
function unitOf(path: string): string {
  const depth = /^(runtime|actors)\/[^/]+\//.test(path) ? 2 : 1;
  return path.split('/').slice(0, depth).join('/');
}

function mayImportFile(from: string, to: string): boolean {
  if (unitOf(from) === unitOf(to)) return true;
  return folderRules.find(rule => rule.files.test(from))?.may.some(may => may.test(to)) ?? false;
}

/**
 * The rules a file breaks, in words.
 *
 * @param dependencies the packages product code may import
 */
export function importFaults(file: SourceFile, dependencies: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  if (!folderRules.some(rule => rule.files.test(file.path)))
    faults.push(`${file.path} is in a folder that has no rule`);
  for (const target of importsOf(file)) {
    const isOurs = target.endsWith('.ts');
    if (isOurs) {
      if (!mayImportFile(file.path, target)) faults.push(`${file.path} imports ${target}`);
      continue;
    }
    const name = target.startsWith('node:') ? target.replace(/\/.*$/, '') : packageName(target);
    const owners = packageOwners[name];
    if (owners && !owners.test(file.path)) faults.push(`${file.path} imports ${target}, which is not its to import`);
    if (pureFolders.some(({ files, never }) => files.test(file.path) && never.test(target))) {
      faults.push(`${file.path} imports ${target}`);
    }
    if (base.test(file.path) && !target.startsWith('node:'))
      faults.push(`${file.path} imports ${target}, the floor imports nothing`);
    if (!target.startsWith('node:') && !testsAndBench.test(file.path) && !dependencies.has(name)) {
      faults.push(`${file.path} imports ${target}, which is no dependency of the package`);
    }
  }
  return faults;
}
