/**
 * `ringmq group clients` and `ringmq producer clients`: who is online, and what it subscribes to.
 */
import type { Admin, ConsumerConnection, GroupMember, SubscriptionData } from '../../client/index.js';
import { versionName } from '../../protocol/codes.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { type BrokerPlace, forEach, mastersIn, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderPairs, renderTable } from '../table.js';

/** The clients of a consumer group, each once however many brokers it talks to. */
export interface OnlineConsumers extends Pick<ConsumerConnection, 'consumeType' | 'messageModel' | 'consumeFromWhere'> {
  readonly members: readonly GroupMember[];
  readonly subscriptions: readonly SubscriptionData[];
}

/** Who is online in a consumer group; undefined when nobody is. Errors: MQBrokerError. */
export async function consumersOf(
  admin: Admin,
  masters: readonly BrokerPlace[],
  group: string,
): Promise<OnlineConsumers | undefined> {
  const answers = await forEach(masters, ({ address }) => admin.groups.consumers(address, group));
  const online = answers.filter(answer => answer !== null);
  const [first] = online;
  if (first === undefined) return undefined;
  const { consumeType, messageModel, consumeFromWhere } = first;
  const subscriptions = new Map(online.flatMap(({ subscriptionTable }) => Object.entries(subscriptionTable)));
  const members = distinct(online.flatMap(({ connectionSet }) => connectionSet));
  return { consumeType, messageModel, consumeFromWhere, members, subscriptions: [...subscriptions.values()] };
}

const distinct = (members: readonly GroupMember[]): GroupMember[] =>
  [...new Map(members.map(member => [member.clientId, member])).values()].sort((a, b) =>
    a.clientId < b.clientId ? -1 : 1,
  );

/** Shows the clients of a consumer group and its subscriptions. Errors: CliError when nobody is online. */
export async function groupClients(shell: Shell, group: string, flags: ReachFlags): Promise<number> {
  const online = await withAdmin(shell, flags, async admin =>
    consumersOf(admin, mastersIn(await admin.clusterInfo(), undefined), group),
  );
  if (online === undefined) throw nobody('consumer', group, '`ringmq group list` shows the groups there are.');
  if (flags.json) printJson(shell, online);
  else {
    shell.out(
      renderPairs(shell, [
        ['type', online.consumeType],
        ['model', online.messageModel],
        ['starts at', online.consumeFromWhere],
      ]),
    );
    shell.out(`\n${membersTable(shell, online.members)}`);
    const rows = online.subscriptions.map(({ topic, expressionType, subString }) => [topic, expressionType, subString]);
    shell.out(`\n${renderTable(shell, ['TOPIC', 'TYPE', 'EXPRESSION'], rows)}`);
  }
  return ExitCode.OK;
}

/** Shows the clients of a producer group. Errors: CliError when nobody is online. */
export async function producerClients(shell: Shell, group: string, flags: ReachFlags): Promise<number> {
  const members = await withAdmin(shell, flags, async admin => {
    const masters = mastersIn(await admin.clusterInfo(), undefined);
    return distinct((await forEach(masters, ({ address }) => admin.groups.producers(address, group))).flat());
  });
  if (members.length === 0) throw nobody('producer', group, 'A producer is known while it is connected.');
  if (flags.json) printJson(shell, members);
  else shell.out(membersTable(shell, members));
  return ExitCode.OK;
}

function membersTable(shell: Shell, members: readonly GroupMember[]): string {
  const rows = members.map(({ clientId, clientAddr, language, version }) => [
    clientId,
    clientAddr,
    language,
    versionName(version),
  ]);
  return renderTable(shell, ['CLIENT', 'ADDRESS', 'LANGUAGE', 'VERSION'], rows);
}

function nobody(kind: string, group: string, advice: string): CliError {
  return new CliError(`no client of the ${kind} group ${group} is online`, ExitCode.FAILED, [advice]);
}
