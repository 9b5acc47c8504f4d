/** The faults that a pair is given, as a table: what each needs of the machine, how it begins and how it heals. */
import fs from 'node:fs';
import type { Prng } from '../../runtime/base/prng.js';
import { type PairNetwork, type Role, RoomNetwork } from '../support/pair-network.js';
import { RawClient } from '../support/raw-client.js';
import { runtimeInfo } from '../support/raw-requests.js';
import { until } from '../support/until.js';
import type { FaultPair } from './fault-pair.js';

/** Ends the fault: everything that was killed runs again. */
type Heal = () => Promise<void>;

export interface FaultKind {
  readonly name: string;
  /** Namespaces: hosts whose link can be hurt, a disk that can be full. */
  readonly needsRoom: boolean;
  /** The master's machine is lost: what the slave has not at this moment is gone when its disk is. */
  readonly losesMaster?: boolean;
  /** Nothing can be asked of the slave's log before it healed. */
  readonly takesSlaveLog?: boolean;
  readonly begin: (pair: FaultPair, random: Prng) => Promise<Heal> | Heal;
}

const hourMs = 3_600_000;
const roles = ['master', 'slave'] as const;

function room(network: PairNetwork): RoomNetwork {
  if (network instanceof RoomNetwork) return network;
  throw new Error('this fault needs hosts of their own');
}

async function killed(pair: FaultPair, role: Role): Promise<Heal> {
  await pair.killBroker(role);
  return () => pair.startBroker(role);
}

function paused(pair: FaultPair, role: Role): Heal {
  pair.server(role).pause();
  return async () => pair.server(role).resume();
}

/** What `hurt` does to the network, until it heals. */
function hurt(pair: FaultPair, how: (network: RoomNetwork) => void): Heal {
  const network = room(pair.network);
  how(network);
  return async () => network.heal();
}

/** The master's machine is gone from one moment to the next: what it had sent and nobody had received, too. */
async function unplugged(pair: FaultPair): Promise<Heal> {
  const network = room(pair.network);
  network.unplug('master');
  await pair.killBroker('master');
  return async () => {
    network.heal();
    await pair.startBroker('master');
  };
}

/** Whether the slave's log ends before the master's, and still does at the same place after some looks. */
async function isStuck(pair: FaultPair): Promise<boolean> {
  const end = await pair.logEnd('slave');
  for (let look = 0; look < 20; look++) {
    if ((await pair.logEnd('slave')) !== end || (await pair.logEnd('master')) <= end) return false;
  }
  return true;
}

/** Clocks of one or both are set, and sometimes set right again. */
function jump(pair: FaultPair, random: Prng): Heal {
  const jumping = random.oneIn(3) ? roles : [random.pick(roles)];
  for (const role of jumping) pair.setClock(role, random.between(-2 * hourMs, 2 * hourMs));
  const back = random.oneIn(2);
  return async () => {
    if (back) for (const role of jumping) pair.setClock(role, 0);
  };
}

export const faultKinds: readonly FaultKind[] = [
  { name: 'master-killed', needsRoom: false, losesMaster: true, begin: pair => killed(pair, 'master') },
  { name: 'slave-killed', needsRoom: false, begin: pair => killed(pair, 'slave') },
  {
    name: 'name-server-killed',
    needsRoom: false,
    begin: async pair => {
      await pair.killNameServer();
      return () => pair.startNameServer();
    },
  },
  { name: 'master-stopped', needsRoom: false, begin: pair => paused(pair, 'master') },
  { name: 'slave-stopped', needsRoom: false, begin: pair => paused(pair, 'slave') },
  {
    name: 'slave-emptied',
    needsRoom: false,
    takesSlaveLog: true,
    begin: async pair => {
      await pair.killBroker('slave');
      fs.rmSync(pair.store('slave'), { recursive: true });
      return () => pair.startBroker('slave');
    },
  },
  {
    name: 'clock-jump',
    needsRoom: false,
    begin: (pair, random) => jump(pair, random),
  },
  {
    // Sends are waiting for the slave at this moment: nobody may wait until the old time comes again.
    name: 'clock-back-when-slave-stopped',
    needsRoom: false,
    begin: async pair => {
      const resume = paused(pair, 'slave');
      const client = await RawClient.connect(pair.address('master'));
      let isAnswered = false;
      const probe = { topic: 'Faults_Probe', queueId: 0, body: Buffer.from('probe') };
      client.sendPipelined(probe, answer => {
        isAnswered = answer !== undefined;
      });
      pair.setClock('master', -hourMs);
      try {
        await until(() => isAnswered, 'a send that waits for the slave is answered, late or not');
      } finally {
        client.close();
      }
      return async () => {
        await resume();
        pair.setClock('master', 0);
      };
    },
  },
  {
    name: 'link-cut',
    needsRoom: true,
    begin: pair =>
      hurt(pair, network => {
        for (const role of roles) network.drop(role, 0);
      }),
  },
  {
    // What waits for its turn to try again has its time by then.
    name: 'clock-jump-in-cut',
    needsRoom: true,
    begin: async (pair, random) => {
      const network = room(pair.network);
      for (const role of roles) network.drop(role, 0);
      await until(async () => (await runtimeInfo(pair.address('master'))).haSlaves === '0', 'the link is lost');
      const back = jump(pair, random);
      return async () => {
        network.heal();
        await back();
      };
    },
  },
  {
    name: 'one-way-partition',
    needsRoom: true,
    begin: (pair, random) => hurt(pair, network => network.drop(random.pick(roles), 0)),
  },
  {
    name: 'packet-loss',
    needsRoom: true,
    begin: (pair, random) =>
      hurt(pair, network => {
        for (const role of roles) network.drop(role, random.between(2, 5));
      }),
  },
  {
    name: 'slow-link',
    needsRoom: true,
    begin: (pair, random) =>
      hurt(pair, network => {
        for (const role of roles) network.slow(role, random.pick([256, 1000, 8000]));
      }),
  },
  {
    name: 'master-unplugged',
    needsRoom: true,
    losesMaster: true,
    begin: pair => unplugged(pair),
  },
  {
    // With a slave that is behind, and that will never get what is on its way.
    name: 'master-unplugged-when-slow',
    needsRoom: true,
    losesMaster: true,
    begin: async (pair, random) => {
      room(pair.network).slow('slave', random.pick([1000, 8000]));
      const end = (await pair.logEnd('master')) + 128 * 1024;
      await until(async () => (await pair.logEnd('master')) > end, 'the slow link is used');
      return unplugged(pair);
    },
  },
  {
    name: 'slave-disk-full',
    needsRoom: true,
    begin: (pair, random) => {
      pair.slaveDisk!.fill(random.below(64 * 1024));
      return async () => pair.slaveDisk!.empty();
    },
  },
  {
    // Its log may end in half a record then.
    name: 'slave-killed-when-disk-full',
    needsRoom: true,
    begin: async (pair, random) => {
      pair.slaveDisk!.fill(random.below(64 * 1024));
      await until(() => isStuck(pair), 'the slave cannot write');
      await pair.killBroker('slave');
      return async () => {
        pair.slaveDisk!.empty();
        await pair.startBroker('slave');
      };
    },
  },
];
