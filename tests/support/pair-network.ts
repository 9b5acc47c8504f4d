/**
 * Hosts for a master and its slave, as far as this machine can have them: network namespaces joined by a bridge whose
 * ports drop or delay what passes. All of it belongs to namespaces of this process and is gone with it, whoever kills
 * it.
 *
 * What drops is a `u32` filter that hands packets to a bridge without ports: it needs neither netem nor netfilter,
 * works in one direction at a time, and neither side is told anything.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { messageOf } from '../../runtime/base/errors.js';
import { until } from './until.js';

export type Role = 'master' | 'slave';

const inRoomVariable = 'RINGMQ_TEST_ROOM';
const hosts = { nameServer: '10.0.0.254', master: '10.0.0.1', slave: '10.0.0.2' } as const;
const ports = { master: 'port-m', slave: 'port-s' } as const;

export const otherRole = (role: Role): Role => (role === 'master' ? 'slave' : 'master');

function run(command: string, ...words: string[]): void {
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Whether this process has namespaces of its own for networks and mounts. */
export const isInRoom = (): boolean => process.env[inRoomVariable] !== undefined;

/** Why this process cannot be given namespaces of its own; undefined when it can. */
function noRoomReason(): string | undefined {
  if (process.getuid?.() !== 0) return 'namespaces need root';
  for (const tool of ['unshare', 'nsenter', 'ip', 'tc', 'mount']) {
    if (spawnSync(tool, ['--version']).error) return `${tool} is not installed`;
  }
  const { status, stderr } = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `namespaces are not allowed here: ${stderr.trim()}`;
}

/**
 * Starts this program again in namespaces of its own and ends as it does. Returns, with the reason, where that cannot
 * be, and without one in the program that was started.
 */
export async function enterRoom(): Promise<string | undefined> {
  if (isInRoom()) return undefined;
  const reason = noRoomReason();
  if (reason !== undefined) return reason;
  const words = ['--net', '--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', words, { stdio: 'inherit', env: { ...process.env, [inRoomVariable]: '1' } });
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  const code = await new Promise<number>(resolve => child.on('exit', exitCode => resolve(exitCode ?? 1)));
  process.exit(code);
}

/** The hosts of a pair. */
export interface PairNetwork {
  readonly hosts: Readonly<Record<Role | 'nameServer', string>>;
  /** What a command begins with, to run on that host. */
  enter(role: Role): readonly string[];
  /** Whatever was done to it is undone. */
  heal(): void;
  close(): void;
}

export const loopbackNetwork: PairNetwork = {
  hosts: { nameServer: '127.0.0.1', master: '127.0.0.1', slave: '127.0.0.1' },
  enter: () => [],
  heal: () => {},
  close: () => {},
};

/** A host each for master and slave, and one for name server and clients; the link between the two can be hurt. */
export class RoomNetwork implements PairNetwork {
  readonly hosts = hosts;
  readonly #holders: Readonly<Record<Role, ChildProcess>>;

  /** Errors: Error when this machine's kernel lacks a part. */
  static async open(): Promise<RoomNetwork> {
    const network = new RoomNetwork();
    try {
      await network.#build();
      return network;
    } catch (error) {
      network.close();
      throw new Error(`a network of namespaces cannot be built: ${messageOf(error)}`, { cause: error });
    }
  }

  private constructor() {
    // A namespace lives as long as a process in it: cat ends with this one.
    const hold = (): ChildProcess => spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
    this.#holders = { master: hold(), slave: hold() };
  }

  async #build(): Promise<void> {
    run('ip', 'link', 'set', 'lo', 'up');
    for (const bridge of ['hub', 'sink']) {
      run('ip', 'link', 'add', bridge, 'type', 'bridge');
      run('ip', 'link', 'set', bridge, 'up');
    }
    run('ip', 'address', 'add', `${hosts.nameServer}/24`, 'dev', 'hub');
    for (const role of ['master', 'slave'] as const) await this.#addHost(role);
    this.drop('master', 0);
    this.heal();
  }

  async #addHost(role: Role): Promise<void> {
    const pid = this.#holders[role].pid!;
    const own = fs.readlinkSync('/proc/self/ns/net');
    await until(() => fs.readlinkSync(`/proc/${pid}/ns/net`) !== own, `the namespace of the ${role}`);
    run('ip', 'link', 'add', ports[role], 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid));
    run('ip', 'link', 'set', ports[role], 'master', 'hub', 'up');
    const inside = [
      ['link', 'set', 'lo', 'up'],
      ['address', 'add', `${hosts[role]}/24`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
    ];
    const [enter, ...words] = this.enter(role) as [string, ...string[]];
    for (const command of inside) run(enter, ...words, 'ip', ...command);
    run('tc', 'qdisc', 'add', 'dev', ports[role], 'ingress');
  }

  enter(role: Role): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#holders[role].pid}/ns/net`];
  }

  #filter(from: Role, ...match: string[]): void {
    const head = ['filter', 'add', 'dev', ports[from], 'parent', 'ffff:', 'protocol', 'ip', 'prio', '1', 'u32'];
    run('tc', ...head, ...match, 'action', 'mirred', 'egress', 'redirect', 'dev', 'sink');
  }

  /** Packets of `from` to the other one are lost: all of them, or one in 2 to the power of `bits`. */
  drop(from: Role, bits: number): void {
    // By the low bits of the packet's number: they go on by one from packet to packet.
    const some = bits === 0 ? [] : ['match', 'u16', '0', `0x${((1 << bits) - 1).toString(16)}`, 'at', '4'];
    this.#filter(from, 'match', 'ip', 'dst', `${hosts[otherRole(from)]}/32`, ...some);
  }

  /** Nothing that it sends reaches anybody any more, from one moment to the next. */
  unplug(role: Role): void {
    this.#filter(role, 'match', 'u32', '0', '0', 'at', '0');
  }

  /** What goes to `role` goes no faster. */
  slow(role: Role, kbitPerSecond: number): void {
    const rate = ['rate', `${kbitPerSecond}kbit`, 'burst', '32kb', 'latency', '400ms'];
    run('tc', 'qdisc', 'add', 'dev', ports[role], 'root', 'tbf', ...rate);
  }

  heal(): void {
    for (const port of Object.values(ports)) {
      spawnSync('tc', ['filter', 'del', 'dev', port, 'parent', 'ffff:']);
      spawnSync('tc', ['qdisc', 'del', 'dev', port, 'root']);
    }
  }

  close(): void {
    for (const holder of Object.values(this.#holders)) holder.kill('SIGKILL');
    for (const name of [...Object.values(ports), 'hub', 'sink']) spawnSync('ip', ['link', 'del', name]);
  }
}
