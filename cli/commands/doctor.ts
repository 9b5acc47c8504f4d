/**
 * `ringmq doctor`: what limits a running broker now, why that is known, and what to do.
 */
import { setTimeout } from 'node:timers/promises';
import { bottleneckNames, diagnose } from '../../actors/node/doctor.js';
import { ExitCode } from '../exit-codes.js';
import { printJson } from '../reach.js';
import type { Shell } from '../shell.js';
import { type ReportFlags, readReport, reportedBroker } from './pools.js';

export async function doctor(shell: Shell, flags: ReportFlags): Promise<number> {
  const address = await reportedBroker(shell, flags);
  const before = await readReport(address);
  await setTimeout(flags.seconds * 1000);
  const diagnosis = diagnose(before, await readReport(address));
  if (flags.json) {
    printJson(shell, diagnosis);
    return ExitCode.OK;
  }
  const { bottleneck, evidence, advice } = diagnosis;
  shell.out(`limited by ${shell.style('bold', bottleneckNames[bottleneck])}`);
  for (const line of evidence) shell.out(`  ${line}`);
  shell.out('What helps:');
  for (const line of advice) shell.out(`  ${line}`);
  return ExitCode.OK;
}
