/** A Java cluster and one of RingMQ with the same in them, and one mqadmin that is asked about both. */
import fs from 'node:fs';
import path from 'node:path';
import type { MqadminRun } from '../conformance/mqadmin-case.js';
import { type ClusterWords, type PreparedCluster, prepareCluster } from '../conformance/mqadmin-cluster.js';
import { Mqadmin, MqadminInBackground, type MqadminOutput } from './mqadmin.js';
import { compareLines, linesOf } from './mqadmin-output.js';
import type { Launchers } from './node-process.js';
import { removeFolder, temporaryFolder } from './node-process.js';
import { until } from './until.js';

/** News between brokers, name servers and clients, on a busy machine. */
const UNTIL_LIMIT_MS = 60_000;

export class MqadminRig {
  readonly mqadmin: Mqadmin;
  readonly #version: string;
  readonly #java: PreparedCluster;
  readonly #ringmq: PreparedCluster;
  readonly #folder = temporaryFolder();

  /** Errors: Error when something cannot be started. */
  static async start(version: string, java: Launchers, ringmq: Launchers): Promise<MqadminRig> {
    const first = await prepareCluster(java);
    try {
      return new MqadminRig(version, first, await prepareCluster(ringmq));
    } catch (error) {
      await first.cluster.end();
      throw error;
    }
  }

  private constructor(version: string, java: PreparedCluster, ringmq: PreparedCluster) {
    this.#version = version;
    this.#java = java;
    this.#ringmq = ringmq;
    this.mqadmin = new Mqadmin(version, this.#folder);
  }

  /** What is wrong, a line each; empty when both say the same but for declared differences. */
  async compare(run: MqadminRun): Promise<string[]> {
    const sides = [this.#java, this.#ringmq].map(prepared => this.#linesOf(run, prepared));
    const [java = [], ringmq = []] = await Promise.all(sides);
    return compareLines(java, ringmq, run.differences, run.anyOrder);
  }

  async end(): Promise<void> {
    await this.mqadmin.end();
    await this.#java.cluster.end();
    await this.#ringmq.cluster.end();
    removeFolder(this.#folder);
  }

  async #linesOf(run: MqadminRun, prepared: PreparedCluster): Promise<string[]> {
    if (run.before !== undefined) prepared.words = { ...prepared.words, ...(await run.before(prepared.cluster)) };
    const { words } = prepared;
    const output = run.logs === undefined ? await this.#ask(run, words) : await this.#logOf(run.call, run.logs, words);
    const { only } = run;
    const lines = linesOf(output, words, run.masks);
    return only === undefined ? lines : lines.filter(line => only.test(line));
  }

  async #ask({ call, endWhen, until: wanted, file }: MqadminRun, words: ClusterWords): Promise<MqadminOutput> {
    const named = call.replaceAll(/\{([\w-]+)\}/g, (_, name: string) => words[name] ?? `{${name}}`);
    const args = [...named.split(' '), '-n', words.namesrv!];
    let output = await this.mqadmin.run(args, endWhen);
    const said = async (): Promise<boolean> => {
      if (wanted === undefined || wanted.test(output.out)) return true;
      output = await this.mqadmin.run(args, endWhen);
      return false;
    };
    await until(said, `${wanted} from mqadmin ${named}`, UNTIL_LIMIT_MS);
    if (file === undefined) return output;
    return { ...output, out: `${output.out}\n${fs.readFileSync(path.join(words.folder!, file), 'utf8')}` };
  }

  async #logOf(call: string, wanted: RegExp, words: ClusterWords): Promise<MqadminOutput> {
    const args = [...call.split(' '), '-n', words.namesrv!];
    const program = new MqadminInBackground(this.#version, path.join(words.folder!, 'background'), args);
    try {
      await until(() => wanted.test(program.log()), `${wanted} in the log of mqadmin ${call}`, UNTIL_LIMIT_MS);
      return { code: 0, out: program.log(), err: '' };
    } finally {
      await program.kill();
    }
  }
}
