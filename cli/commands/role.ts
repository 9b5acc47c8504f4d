/**
 * `ringmq promote`, `ringmq demote`, `ringmq switch`: which broker of a name is the master.
 */
import { RequestCode } from '../../protocol/codes.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { ask, type BrokerPlace, brokersOf, printJson, type ReachFlags, withAdmin } from '../reach.js';
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

/** A broker and what it says of its role. */
interface Member {
  readonly address: string;
  readonly brokerName: string;
  readonly brokerRole: string;
  readonly brokerId: number;
  readonly minimum: number;
  readonly appended: number;
  readonly haState: string;
  readonly changing: boolean;
  readonly refusal: string;
  readonly registered: boolean;
}

interface Change {
  readonly brokerRole: string;
  readonly brokerId: number;
  readonly expectedEnd?: number;
  /** Who is to be the master next. */
  readonly successor?: string;
}

const LOOK_EVERY_MS = 25;
/** What a broker may take beyond its patience: to stop its rooms and start them again. Units: ms. */
const COME_BACK_MAX_MS = 60_000;

const isMaster = ({ brokerRole }: Member): boolean => brokerRole !== 'SLAVE';

/** Makes a slave the master of its name, when there is none. Errors: CliError with the reason why not. */
export async function promoteBroker(shell: Shell, named: string, flags: PromoteFlags): Promise<number> {
  const { members } = await membersOf(shell, named, flags);
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
  await change(chosen.address, { brokerRole: flags.role, brokerId: 0, expectedEnd }, flags);
  const promoted = await registered(chosen.address, flags);
  return report(shell, flags, { master: promoted });
}

/** Makes a master a slave, once a slave has all it has acknowledged. Errors: CliError with the reason why not. */
export async function demoteBroker(shell: Shell, named: string, flags: DemoteFlags): Promise<number> {
  const { members, places } = await membersOf(shell, named, flags);
  const master = members.find(member => member.address === named && isMaster(member)) ?? members.find(isMaster);
  if (master === undefined) throw refused(`no broker of ${members[0]!.brokerName} is a master`);
  const taken = new Set(places.map(({ brokerId }) => brokerId));
  let brokerId = flags.brokerId ?? 1;
  while (flags.brokerId === undefined && taken.has(brokerId)) brokerId++;
  await change(master.address, { brokerRole: 'SLAVE', brokerId }, flags);
  const demoted = await registered(master.address, flags);
  return report(shell, flags, { slave: demoted });
}

/** Changes master and slave of a name over. Errors: CliError with the reason why not; the roles are then as before. */
export async function switchBroker(shell: Shell, named: string, flags: SwitchFlags): Promise<number> {
  const beganMs = performance.now();
  const { members } = await membersOf(shell, named, flags);
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
  await change(master.address, { brokerRole: 'SLAVE', brokerId: slave.brokerId, successor }, flags);
  const { appended: end } = await memberAt(master.address);
  try {
    await change(slave.address, { brokerRole: master.brokerRole, brokerId: 0, expectedEnd: end }, flags);
  } catch (error) {
    await putBack(master, slave, flags);
    throw error;
  }
  const promoted = await registered(slave.address, flags);
  const demoted = await registered(master.address, flags, true);
  await atNameServers(shell, flags, promoted, demoted);
  return report(shell, flags, { master: promoted, slave: demoted, tookMs: Math.round(performance.now() - beganMs) });
}

/** Nobody is the master, and the old one has everything; but never two, should the slave be on its way all the same. */
async function putBack(master: Member, slave: Member, flags: RoleFlags): Promise<void> {
  const { brokerName, address } = slave;
  const now = await memberAt(address).catch(() => undefined);
  if (now !== undefined && !isMaster(now) && !now.changing) {
    return change(master.address, { brokerRole: master.brokerRole, brokerId: 0 }, flags);
  }
  const advice = `Look what it is now; if it is a slave, \`ringmq promote ${brokerName}\` makes the furthest broker the master.`;
  throw refused(`${master.address} is a slave now, and ${address} does not say whether it is the master`, advice);
}

function chooseSlave(members: readonly Member[], master: Member, { to, force }: SwitchFlags): Member {
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

const furthest = (members: readonly Member[]): Member =>
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
  shell: Shell,
  named: string,
  flags: ReachFlags,
): Promise<{ readonly members: readonly Member[]; readonly places: readonly BrokerPlace[] }> {
  const brokers = brokersOf(await withAdmin(shell, flags, admin => admin.clusterInfo()));
  const brokerName = brokers.find(({ address }) => address === named)?.brokerName ?? named;
  const places = brokers.filter(place => place.brokerName === brokerName);
  const asked = await Promise.all(places.map(({ address }) => memberAt(address).catch(() => undefined)));
  const members = asked.filter(member => member !== undefined);
  if (members.length > 0) return { members, places };
  const names = [...new Set(brokers.map(place => place.brokerName))].join(', ') || 'none';
  throw refused(`no broker named ${named} can be reached`, `Brokers: ${names}.`);
}

async function memberAt(address: string): Promise<Member> {
  const { extFields } = await ask(address, RequestCode.RINGMQ_GET_ROLE);
  return {
    address,
    brokerName: extFields.brokerName ?? '',
    brokerRole: extFields.brokerRole ?? '',
    brokerId: Number(extFields.brokerId),
    minimum: Number(extFields.minimum),
    appended: Number(extFields.appended),
    haState: extFields.haState ?? '',
    changing: extFields.changing === 'true',
    refusal: extFields.refusal ?? '',
    registered: extFields.registered === 'true',
  };
}

/** Has a broker change its role and waits until it has. Errors: CliError with its reason when it refuses. */
async function change(address: string, wanted: Change, { force, patience }: RoleFlags): Promise<void> {
  const timeoutMs = patience * 1000;
  await ask(address, RequestCode.RINGMQ_CHANGE_ROLE, { ...wanted, force: force === true, timeoutMs });
  const what = `${address} did not become ${wanted.brokerRole}`;
  const isDone = ({ brokerRole, changing, refusal }: Member): boolean => {
    if (refusal === '' || changing) return brokerRole === wanted.brokerRole;
    throw refused(`${address} stays what it is: ${refusal}`, 'Nothing has changed. --force does it all the same.');
  };
  await untilMember(address, isDone, timeoutMs + COME_BACK_MAX_MS, what);
}

/** `follows`: and it follows its master. */
function registered(address: string, { patience }: RoleFlags, follows = false): Promise<Member> {
  const isSo = (member: Member): boolean => member.registered && (!follows || member.haState === 'transfer');
  const what = `${address} has its new role but ${follows ? 'does not follow the master' : 'is not registered'}`;
  return untilMember(address, isSo, patience * 1000, what);
}

async function untilMember(
  address: string,
  isSo: (member: Member) => boolean,
  patienceMs: number,
  what: string,
): Promise<Member> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    // Its ports are closed for a moment while its rooms are started anew.
    const member = await memberAt(address).catch(() => undefined);
    if (member !== undefined && isSo(member)) return member;
    if (performance.now() > untilMs) throw refused(`${what} after ${patienceMs} ms`, 'Its log says why.');
    await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Both are where clients look for them. */
async function atNameServers(shell: Shell, flags: RoleFlags, master: Member, slave: Member): Promise<void> {
  const untilMs = performance.now() + flags.patience * 1000;
  await withAdmin(shell, flags, async admin => {
    for (;;) {
      const addresses = (await admin.clusterInfo()).brokerAddrTable[master.brokerName]?.brokerAddrs ?? {};
      if (addresses[0] === master.address && addresses[slave.brokerId] === slave.address) return;
      if (performance.now() > untilMs) throw refused('the name server does not know both in their new roles');
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
    }
  });
}

interface Outcome {
  readonly master?: Member;
  readonly slave?: Member;
  readonly tookMs?: number;
}

function report(shell: Shell, flags: RoleFlags, outcome: Outcome): number {
  if (flags.json) printJson(shell, outcome);
  else {
    const row = (role: string, member: Member | undefined): [string, string][] =>
      member === undefined ? [] : [[role, `${member.address}  ${member.brokerRole}, brokerId ${member.brokerId}`]];
    const took: [string, string][] = outcome.tookMs === undefined ? [] : [['took', `${outcome.tookMs} ms`]];
    shell.out(renderPairs(shell, [...row('master', outcome.master), ...row('slave', outcome.slave), ...took]));
  }
  return ExitCode.OK;
}
