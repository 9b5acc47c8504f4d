/** Runs the programs of the command line inside a test, and a node for those that need one. */
import fs from 'node:fs';
import path from 'node:path';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../../../actors/node/index.js';
import { type ProgramName, run } from '../../../cli/main.js';
import type { Shell } from '../../../cli/shell.js';
import { silentLogger } from '../../../runtime/log/contract.js';
import { freePort, removeFolder, temporaryFolder } from '../../support/node-process.js';

/** What a program said and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A shell that collects, without colours. */
export class TestShell implements Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly columns: number;
  readonly isTerminal: boolean;
  readonly #out: string[] = [];
  readonly #err: string[] = [];

  constructor(env: Readonly<Record<string, string>> = {}, columns = 200, isTerminal = false) {
    this.env = env;
    this.columns = columns;
    this.isTerminal = isTerminal;
  }

  get outText(): string {
    return this.#out.join('\n');
  }

  get errText(): string {
    return this.#err.join('\n');
  }

  out(text: string): void {
    this.#out.push(text);
  }

  err(text: string): void {
    this.#err.push(text);
  }

  style(_style: string, text: string): string {
    return text;
  }
}

export async function runProgram(
  program: ProgramName,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const shell = new TestShell(env);
  const code = await run(program, args, shell);
  return { code, out: shell.outText, err: shell.errText };
}

/** Writes a configuration file into a folder of its own, hands it to `use` and removes it. */
export async function withFile(
  text: string,
  use: (file: string) => unknown,
  name = 'broker.properties',
): Promise<void> {
  const folder = temporaryFolder();
  try {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    await use(file);
  } finally {
    removeFolder(folder);
  }
}

/** A broker with its name server in this process, and `ringmq` against it. */
export class TestNode {
  readonly brokerAddr: string;
  readonly namesrvAddr: string;
  readonly #node: RingNode;
  readonly #folder: string;

  static async start(): Promise<TestNode> {
    const folder = temporaryFolder();
    const namesrvPort = await freePort();
    const namesrvAddr = `127.0.0.1:${namesrvPort}`;
    const bindAddress = '127.0.0.1';
    const kvConfigPath = path.join(folder, 'kvConfig.json');
    const store = path.join(folder, 'store');
    const listenPort = String(await freePort());
    const broker = { bindAddress, listenPort, namesrvAddr, storePathRootDir: store, brokerName: 'broker-a' };
    const node = await RingNode.start({
      broker: loadBrokerConfig({ set: { ...broker, brokerIP1: bindAddress, waitTimeMillsInSendQueue: '60000' } }),
      namesrv: loadNamesrvConfig({ set: { bindAddress, listenPort: String(namesrvPort), kvConfigPath } }),
      logger: silentLogger,
    });
    return new TestNode(node, namesrvAddr, folder);
  }

  private constructor(node: RingNode, namesrvAddr: string, folder: string) {
    this.#node = node;
    this.namesrvAddr = namesrvAddr;
    this.#folder = folder;
    this.brokerAddr = `127.0.0.1:${node.ports.broker}`;
  }

  ringmq(...args: string[]): Promise<Outcome> {
    return runProgram('ringmq', args, { NAMESRV_ADDR: this.namesrvAddr });
  }

  /** Repeats a command until its output fits. Errors: Error with the last outcome after a while. */
  async until(fits: (outcome: Outcome) => boolean, ...args: string[]): Promise<Outcome> {
    const deadlineMs = performance.now() + 20_000;
    for (;;) {
      const outcome = await this.ringmq(...args);
      if (fits(outcome)) return outcome;
      if (performance.now() > deadlineMs) throw new Error(`ringmq ${args.join(' ')}: ${JSON.stringify(outcome)}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    await this.#node.stop();
    removeFolder(this.#folder);
  }
}
