/**
 * Clients that others wrote, as programs of scenarios (`tests/conformance/clients`): each scenario prints
 * `PASS name (ms)`, `FAIL name: reason` or `SKIP name: reason`, and `N passed, N failed` ends it. They need a toolchain
 * and packages from the network, so they run only when `RINGMQ_STOCK_CLIENTS` names them: `go`, `java5`, separated by
 * commas.
 */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Launchers } from './node-process.js';
import { checkoutFolder, removeFolder, startBroker, startNameServer, temporaryFolder } from './node-process.js';
import { awaitRoute } from './raw-requests.js';
import { skip } from './skip.js';

/** What the scenarios expect of the broker: short delays, quick questions about transactions, SQL filters. */
const settings = {
  messageDelayLevel: '1s 2s 3s 4s 5s 6s',
  transactionTimeOut: '1000',
  transactionCheckInterval: '2000',
  enablePropertyFilter: 'true',
};

export interface Verdicts {
  readonly passed: readonly string[];
  /** By scenario: why it failed. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Why a client cannot run here; empty when it can. `tools`: a command each that must end with 0. */
export function reasonToSkip(client: string, tools: readonly (readonly string[])[]): string {
  const wanted = (process.env.RINGMQ_STOCK_CLIENTS ?? '').split(',').map(name => name.trim());
  if (!wanted.includes(client)) return `RINGMQ_STOCK_CLIENTS does not name ${client}`;
  for (const [command, ...argv] of tools) {
    if (spawnSync(command as string, argv, { stdio: 'ignore' }).status !== 0) return `there is no ${command}`;
  }
  return '';
}

/** The folder of a client's sources. */
export function clientFolder(client: string): string {
  return path.join(checkoutFolder(), 'tests', 'conformance', 'clients', client);
}

/** Starts a name server and a broker of one make, and gives their addresses and a folder to `use`. */
export async function withCluster(
  launchers: Launchers,
  use: (nameServer: string, broker: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  const nameServer = await startNameServer(launchers, folder);
  try {
    const broker = await startBroker(launchers, { nameServer: nameServer.address, folder, settings });
    try {
      // The broker listens before it has registered.
      await awaitRoute(nameServer.address, 'TBW102');
      await use(nameServer.address, broker.address, folder);
    } finally {
      await broker.kill();
    }
  } finally {
    await nameServer.stop();
    removeFolder(folder);
  }
}

/** Runs a program of scenarios to its end. Errors: Error when its last line is missing or contradicts the others. */
export async function runScenarios(command: readonly string[], folder: string, limitMs: number): Promise<Verdicts> {
  const [program, ...argv] = command as [string, ...string[]];
  const output = await new Promise<string>(resolve => {
    const options = { cwd: folder, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
    execFile(program, argv, options, (_error, out, err) => resolve(out + err));
  });
  const passed = [...output.matchAll(/^PASS (\S+)/gm)].map(match => match[1] as string);
  const failed = new Map([...output.matchAll(/^FAIL (\S+): (.*)$/gm)].map(match => [match[1]!, match[2]!]));
  if (!output.includes(`\n${passed.length} passed, ${failed.size} failed\n`)) {
    throw new Error(`${program} did not come to its end:\n${output}`);
  }
  return { passed, failed };
}

/** Scenarios that wait for later work, with the reason, as `.ci/expected-to-wait.txt` has them. */
function waiting(client: string): ReadonlyMap<string, string> {
  const lines = fs.readFileSync(path.join(checkoutFolder(), '.ci', 'expected-to-wait.txt'), 'utf8').split('\n');
  const fields = lines.filter(line => !line.startsWith('#')).map(line => line.split(' '));
  return new Map(
    fields.filter(([who]) => who === client).map(([, scenario = '', ...reason]) => [scenario, reason.join(' ')]),
  );
}

/** Tells of those in `excused` that failed, or that passed. Errors: Error when others failed, or none passed. */
export function checkVerdicts(verdicts: Verdicts, excused: ReadonlyMap<string, string>): void {
  const unexpected = [...verdicts.failed].filter(([scenario]) => !excused.has(scenario));
  if (unexpected.length > 0) {
    throw new Error(`scenarios failed:\n${unexpected.map(([scenario, why]) => `${scenario}: ${why}`).join('\n')}`);
  }
  if (verdicts.passed.length === 0) throw new Error('no scenario passed');
  for (const scenario of verdicts.failed.keys()) {
    process.stdout.write(`\n${scenario} waits: ${excused.get(scenario)}\n`);
  }
  for (const scenario of verdicts.passed.filter(name => excused.has(name))) {
    process.stdout.write(`\n${scenario} passes: it need not be excused\n`);
  }
}

/** One test: the scenarios against one make of broker. */
export async function judge(
  client: string,
  launchers: Launchers | string | undefined,
  run: (nameServer: string, broker: string, folder: string) => Promise<Verdicts>,
  excused: ReadonlyMap<string, string> = waiting(client),
): Promise<void> {
  if (launchers === undefined) return skip('bin/mqnamesrv and bin/mqbroker are not there');
  if (typeof launchers === 'string') return skip(launchers);
  await withCluster(launchers, async (nameServer, broker, folder) =>
    checkVerdicts(await run(nameServer, broker, folder), excused),
  );
}
