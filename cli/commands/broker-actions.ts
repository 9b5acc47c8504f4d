/**
 * `ringmq broker wipe-write|add-write|clean`: taking a broker out of service for producers and back, and cleaning up.
 */
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { brokersIn, chooseBroker, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';

/** Takes the write permission of a broker's topics on every name server, or gives it back. Errors: CliError. */
export async function setWritePerm(
  shell: Shell,
  brokerName: string,
  change: 'wipe' | 'add',
  flags: ReachFlags,
): Promise<number> {
  const counts = await withAdmin(shell, flags, async admin => {
    const { brokerAddrTable } = await admin.clusterInfo();
    if (brokerAddrTable[brokerName] === undefined) {
      throw new CliError(`there is no broker named ${brokerName}`, ExitCode.FAILED, [
        `Brokers: ${Object.keys(brokerAddrTable).sort().join(', ') || 'none'}.`,
      ]);
    }
    const { nameServers } = admin;
    const changed: { namesrvAddr: string; topics: number }[] = [];
    for (const namesrvAddr of nameServers.addresses) {
      const topics = await (change === 'wipe'
        ? nameServers.wipeWritePerm(namesrvAddr, brokerName)
        : nameServers.addWritePerm(namesrvAddr, brokerName));
      changed.push({ namesrvAddr, topics });
    }
    return changed;
  });
  if (flags.json) printJson(shell, counts);
  else {
    const rows = counts.map(({ namesrvAddr, topics }) => [namesrvAddr, topics]);
    shell.out(renderTable(shell, ['NAME SERVER', number('TOPICS CHANGED')], rows));
    const what = change === 'wipe' ? 'get no more messages there' : 'get messages there again';
    shell.out(
      shell.style('dim', `producers learn it with the next route, within 30 s: the topics of ${brokerName} ${what}`),
    );
  }
  return ExitCode.OK;
}

/** What can be cleaned. */
export type Cleaning = 'expired-queues' | 'unused-topics';

export interface CleanFlags extends ReachFlags {
  readonly broker?: string;
  readonly clusterName?: string;
}

/** Has one broker, or all of a cluster, delete what nobody can read any more. Errors: CliError; MQBrokerError. */
export async function clean(shell: Shell, what: Cleaning, flags: CleanFlags): Promise<number> {
  const brokers = await withAdmin(shell, flags, async admin => {
    const info = await admin.clusterInfo();
    const chosen = flags.broker === undefined ? brokersIn(info, flags.clusterName) : [chooseBroker(info, flags.broker)];
    for (const { address } of chosen) {
      if (what === 'expired-queues') await admin.brokers.cleanExpiredConsumeQueue(address);
      else await admin.brokers.cleanUnusedTopic(address);
    }
    return chosen;
  });
  if (flags.json) printJson(shell, { what, brokerAddrs: brokers.map(({ address }) => address) });
  else {
    const told =
      what === 'expired-queues' ? 'queue and index files nothing points to' : 'queues of topics that are gone';
    for (const { brokerName, address } of brokers) shell.out(`${brokerName} ${address} deletes ${told}`.trimStart());
  }
  return ExitCode.OK;
}
