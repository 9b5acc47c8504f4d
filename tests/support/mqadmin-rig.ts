/** Runs one call of mqadmin against two clusters and compares what it has to say. */
import fs from 'node:fs';
import path from 'node:path';
import type { MqadminRun } from '../conformance/mqadmin-cases.js';
import type { PreparedCluster } from '../conformance/mqadmin-cluster.js';
import type { Mqadmin, MqadminOutput } from './mqadmin.js';
import { compareLines, linesOf } from './mqadmin-output.js';
import { until } from './until.js';

export interface Comparison {
  /** Empty when both say the same, but for declared differences. */
  readonly faults: readonly string[];
  readonly java: MqadminOutput;
  readonly ringmq: MqadminOutput;
}

/** Errors: Error when the output never has what the run waits for. */
export async function compareRun(
  mqadmin: Mqadmin,
  run: MqadminRun,
  java: PreparedCluster,
  ringmq: PreparedCluster,
): Promise<Comparison> {
  const [left, right] = [await outputOf(mqadmin, run, java), await outputOf(mqadmin, run, ringmq)];
  const [linesLeft, linesRight] = [linesIn(left, run, java), linesIn(right, run, ringmq)];
  const faults = compareLines(linesLeft, linesRight, run.differences, run.anyOrder);
  return { faults, java: left, ringmq: right };
}

async function outputOf(mqadmin: Mqadmin, run: MqadminRun, prepared: PreparedCluster): Promise<MqadminOutput> {
  if (run.before !== undefined) prepared.words = { ...prepared.words, ...(await run.before(prepared.cluster)) };
  const { words } = prepared;
  const call = run.call.replaceAll(/\{([\w-]+)\}/g, (_, name: string) => words[name] ?? `{${name}}`);
  const args = [...call.split(' '), '-n', words.namesrv ?? ''];
  let output = await mqadmin.run(args, run.endWhen);
  const wanted = run.until;
  if (wanted !== undefined) {
    const said = async (): Promise<boolean> => {
      if (wanted.test(output.out)) return true;
      output = await mqadmin.run(args, run.endWhen);
      return false;
    };
    await until(said, `${wanted} from mqadmin ${call}`);
  }
  if (run.file === undefined) return output;
  const file = path.join(words.folder ?? '', run.file);
  return { ...output, out: `${output.out}\n${fs.readFileSync(file, 'utf8')}` };
}

function linesIn(output: MqadminOutput, { masks, only }: MqadminRun, { words }: PreparedCluster): string[] {
  const lines = linesOf(output, words, masks);
  return only === undefined ? lines : lines.filter(line => only.test(line));
}
