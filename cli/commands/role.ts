/**
 * `ringmq promote`, `ringmq demote`, `ringmq switch`: which broker of a name is the master.
 */
import type { RoleChange, RoleState } from '../../client/admin/roles.js';
import { type Admin, MQClientError } from '../../client/index.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { type BrokerPlace, brokersOf, printJson, type ReachFlags, withAdmin } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderPairs } from '../table.js';

export interface RoleFlags extends ReachFlags {
  readonly force?: true;
  /** How long a broker may take to get ready. Units: seconds. */
  readonly patience: number;
}

export interface PromoteFlags extends RoleFlags {
  readonly role: 'ASYNC_MASTER' | 'SYNC_MASTER';
}

export interface DemoteFlags extends RoleFlags {
  readonly brokerId?: number;
}

export interface SwitchFlags extends RoleFlags {
  /** Address of the slave that is to be the master. */
  readonly to?: string;
}

const LOOK_EVERY_MS = 25;

const isMaster = ({ brokerRole }: RoleState): boolean => brokerRole !== 'SLAVE';

/** Makes a slave the master of its name, when there is none. Errors: CliError with the reason why not. */
export function promoteBroker(shell: Shell, named: string, flags: PromoteFlags): Promise<number> {
  return withAdmin(shell, flags, async admin => report(shell, flags, { master: await promote(admin, named, flags) }));
}

async function promote(admin: Admin, named: string, flags: PromoteFlags): Promise<RoleState> {
  const { members } = await membersOf(admin, named);
  const master = members.find(isMaster);
  if (master !== undefined) {
    const advice = `\`ringmq switch ${master.brokerName}\` changes the two over; \`ringmq demote ${master.address}\` stops it being one.`;
    throw refused(`${master.address} is the master of ${master.brokerName}`, advice);
  }
  const chosen = members.find(({ address }) => address === named) ?? furthest(members);
  const others = members.filter(member => member !== chosen);
  if (others.length === 0 && flags.force === undefined) {
    const reason = `no other broker of ${chosen.brokerName} can be asked what it has`;
    const what = `What it has beyond byte ${chosen.appended} of the log would be lost, and nobody knows how much that is.`;
    throw refused(reason, `${what} --force promotes ${chosen.address} all the same.`);
  }
  const expectedEnd = Math.max(0, ...others.map(({ appended }) => appended));
  checkBytes(expectedEnd - chosen.appended, `${chosen.address} does not have what another broker has`, flags);
  await change(admin, chosen.address, { brokerRole: flags.role, brokerId: 0, expectedEnd }, flags);
  return settled(admin, chosen.address, flags);
}

/** Makes a master a slave, once a slave has all it has acknowledged. Errors: CliError with the reason why not. */
export function demoteBroker(shell: Shell, named: string, flags: DemoteFlags): Promise<number> {
  return withAdmin(shell, flags, async admin => report(shell, flags, { slave: await demote(admin, named, flags) }));
}

async function demote(admin: Admin, named: string, flags: DemoteFlags): Promise<RoleState> {
  const { members, places } = await membersOf(admin, named);
  const master = members.find(member => member.address === named && isMaster(member)) ?? members.find(isMaster);
  if (master === undefined) throw refused(`no broker of ${members[0]!.brokerName} is a master`);
  const taken = new Set(places.map(({ brokerId }) => brokerId));
  let brokerId = flags.brokerId ?? 1;
  while (flags.brokerId === undefined && taken.has(brokerId)) brokerId++;
  await change(admin, master.address, { brokerRole: 'SLAVE', brokerId }, flags);
  return settled(admin, master.address, flags);
}

/** Changes master and slave of a name over. Errors: CliError with the reason why not; the roles are then as before. */
export function switchBroker(shell: Shell, named: string, flags: SwitchFlags): Promise<number> {
  return withAdmin(shell, flags, async admin => report(shell, flags, await changeOver(admin, named, flags)));
}

async function changeOver(admin: Admin, named: string, flags: SwitchFlags): Promise<Outcome> {
  const beganMs = performance.now();
  const { members } = await membersOf(admin, named);
  const master = members.find(isMaster);
  if (master === undefined) {
    throw refused(
      `${named} has no master that can be reached`,
      `\`ringmq promote ${named}\` makes a slave the master.`,
    );
  }
  const slave = chooseSlave(members, master, flags);
  checkBytes(slave.minimum - master.minimum, `${slave.address} does not have the oldest part of the log`, flags);
  const { address: successor } = slave;
  await change(admin, master.address, { brokerRole: 'SLAVE', brokerId: slave.brokerId, successor }, flags);
  const { appended: end } = await admin.roles.state(master.address);
  try {
    await change(admin, slave.address, { brokerRole: master.brokerRole, brokerId: 0, expectedEnd: end }, flags);
  } catch (error) {
    await putBack(admin, master, slave, flags);
    throw error;
  }
  const promoted = await settled(admin, slave.address, flags);
  const demoted = await settled(admin, master.address, flags, true);
  await atNameServers(admin, flags, promoted, demoted);
  return { master: promoted, slave: demoted, tookMs: Math.round(performance.now() - beganMs) };
}

/** Nobody is the master, and the old one has everything; but never two, should the slave be on its way all the same. */
async function putBack(admin: Admin, master: RoleState, slave: RoleState, flags: RoleFlags): Promise<void> {
  const { brokerName, address } = slave;
  const now = await admin.roles.state(address).catch(() => undefined);
  if (now !== undefined && !isMaster(now) && !now.changing) {
    return change(admin, master.address, { brokerRole: master.brokerRole, brokerId: 0 }, flags);
  }
  const advice = `Look what it is now; if it is a slave, \`ringmq promote ${brokerName}\` makes the furthest broker the master.`;
  throw refused(`${master.address} is a slave now, and ${address} does not say whether it is the master`, advice);
}

function chooseSlave(members: readonly RoleState[], master: RoleState, { to, force }: SwitchFlags): RoleState {
  const slaves = members.filter(member => !isMaster(member) && (to === undefined || member.address === to));
  if (slaves.length === 0) {
    throw refused(
      `${to ?? `a slave of ${master.brokerName}`} cannot be reached`,
      '`ringmq cluster list` shows what is there.',
    );
  }
  const slave = furthest(slaves);
  if (slave.haState === 'transfer' || force !== undefined) return slave;
  const behind = Math.max(0, master.appended - slave.appended);
  throw refused(
    `${slave.address} does not follow the master now: it is ${behind} bytes behind`,
    'Its log says why it does not. --force changes over all the same, without these bytes.',
  );
}

const furthest = (members: readonly RoleState[]): RoleState =>
  members.reduce((best, member) => (member.appended > best.appended ? member : best));

function checkBytes(bytes: number, reason: string, { force }: RoleFlags): void {
  if (bytes <= 0 || force !== undefined) return;
  throw refused(`${reason}: ${bytes} bytes would be lost`, '--force does it all the same.');
}

function refused(message: string, advice?: string): CliError {
  return new CliError(message, ExitCode.FAILED, advice === undefined ? [] : [advice]);
}

// ---- brokers ----

/** Every broker of a name that can be reached; `named` is the name, or the address of one of them. */
async function membersOf(
  admin: Admin,
  named: string,
): Promise<{ readonly members: readonly RoleState[]; readonly places: readonly BrokerPlace[] }> {
  const brokers = brokersOf(await admin.clusterInfo());
  const brokerName = brokers.find(({ address }) => address === named)?.brokerName ?? named;
  const places = brokers.filter(place => place.brokerName === brokerName);
  const asked = await Promise.all(places.map(({ address }) => admin.roles.state(address).catch(() => undefined)));
  const members = asked.filter(member => member !== undefined);
  if (members.length > 0) return { members, places };
  const names = [...new Set(brokers.map(place => place.brokerName))].join(', ') || 'none';
  throw refused(`no broker named ${named} can be reached`, `Brokers: ${names}.`);
}

/** Has a broker change its role and waits until it has. Errors: CliError with its reason when it refuses. */
async function change(admin: Admin, address: string, wanted: RoleChange, flags: RoleFlags): Promise<void> {
  try {
    await admin.roles.change(address, { ...wanted, force: flags.force === true, patienceMs: patienceMsOf(flags) });
  } catch (error) {
    throw explained(error, 'Nothing has changed. --force does it all the same.');
  }
}

/** `follows`: and it follows its master. */
async function settled(admin: Admin, address: string, flags: RoleFlags, follows = false): Promise<RoleState> {
  try {
    return await admin.roles.settled(address, { follows, patienceMs: patienceMsOf(flags) });
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown, adviceWhenRefused?: string): unknown {
  if (!(error instanceof MQClientError)) return error;
  if (error.code === 'ROLE_REFUSED') return refused(error.message, adviceWhenRefused);
  return error.code === 'REQUEST_TIMEOUT' ? refused(error.message, 'Its log says why.') : error;
}

const patienceMsOf = ({ patience }: RoleFlags): number => patience * 1000;

/** Both are where clients look for them. */
async function atNameServers(admin: Admin, flags: RoleFlags, master: RoleState, slave: RoleState): Promise<void> {
  const untilMs = performance.now() + patienceMsOf(flags);
  for (;;) {
    const addresses = (await admin.clusterInfo()).brokerAddrTable[master.brokerName]?.brokerAddrs ?? {};
    if (addresses[0] === master.address && addresses[slave.brokerId] === slave.address) return;
    if (performance.now() > untilMs) throw refused('the name server does not know both in their new roles');
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

interface Outcome {
  readonly master?: RoleState;
  readonly slave?: RoleState;
  readonly tookMs?: number;
}

function report(shell: Shell, flags: RoleFlags, outcome: Outcome): number {
  if (flags.json) printJson(shell, outcome);
  else {
    const row = (role: string, member: RoleState | undefined): [string, string][] =>
      member === undefined ? [] : [[role, `${member.address}  ${member.brokerRole}, brokerId ${member.brokerId}`]];
    const took: [string, string][] = outcome.tookMs === undefined ? [] : [['took', `${outcome.tookMs} ms`]];
    shell.out(renderPairs(shell, [...row('master', outcome.master), ...row('slave', outcome.slave), ...took]));
  }
  return ExitCode.OK;
}
