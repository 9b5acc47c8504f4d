/**
 * `ringmq rejoin`: has a slave set aside what its log holds beyond its master's, so that it follows.
 */
import { RequestCode } from '../../protocol/codes.js';
import { formatBytes } from '../../runtime/base/units.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { ask, printJson, type ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderPairs } from '../table.js';

export interface RejoinFlags extends ReachFlags {
  readonly yes?: true;
  /** How long the broker may take. Units: seconds. */
  readonly patience: number;
}

type Facts = Readonly<Record<string, string>>;

const LOOK_EVERY_MS = 25;
const COMPARED_MAX_MS = 5000;

/** Errors: CliError without `yes`, and with the reason why it does not follow. */
export async function rejoinBroker(shell: Shell, address: string, flags: RejoinFlags): Promise<number> {
  const { beyondFrom = '-1', beyondTo = '-1', haTrouble, brokerRole } = await comparedFacts(address);
  const [from, to] = [Number(beyondFrom), Number(beyondTo)];
  if (from < 0) {
    const state =
      brokerRole === 'SLAVE' ? haTrouble || 'it has said nothing of a master that has less' : 'it is a master';
    throw refused(`${address} has nothing to set aside: ${state}`);
  }
  if (flags.yes !== true) {
    const bytes = `${to - from} bytes (${formatBytes(to - from)}) from ${from} on`;
    throw refused(`this would set aside ${bytes} of the log of ${address}, and cut them off`, 'Add --yes to do it.');
  }
  await ask(address, RequestCode.RINGMQ_REJOIN, { from, to });
  const { lastSetAside } = await untilFollowing(address, flags.patience * 1000);
  const outcome = { address, from, to, file: lastSetAside };
  if (flags.json) printJson(shell, outcome);
  else {
    shell.out(
      renderPairs(shell, [
        ['slave', `${address} follows its master`],
        ['set aside', `${to - from} bytes from ${from} on, in ${lastSetAside}`],
      ]),
    );
  }
  return ExitCode.OK;
}

/** It may be about to compare its log with the master's for the first time: what it finds is waited for. */
async function comparedFacts(address: string): Promise<Facts> {
  const untilMs = performance.now() + COMPARED_MAX_MS;
  for (;;) {
    const facts = await factsOf(address);
    const isComparing = facts.haState === 'handshake' && facts.beyondFrom === '-1';
    if (!isComparing || performance.now() > untilMs) return facts;
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function factsOf(address: string): Promise<Facts> {
  return (await ask(address, RequestCode.RINGMQ_GET_ROLE)).extFields as Facts;
}

async function untilFollowing(address: string, patienceMs: number): Promise<Facts> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    // Its ports are closed for a moment while its rooms are started anew.
    const facts = await factsOf(address).catch(() => undefined);
    if (facts?.haState === 'transfer') return facts;
    if (facts?.changing === 'false' && facts.refusal !== '') throw refused(`${address} does not: ${facts.refusal}`);
    if (performance.now() > untilMs) {
      throw refused(`${address} does not follow after ${patienceMs} ms`, 'Its log says why.');
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function refused(message: string, advice?: string): CliError {
  return new CliError(message, ExitCode.FAILED, advice === undefined ? [] : [advice]);
}
