/**
 * Starts a broker, alone or with its name server, and says RocketMQ's sentence when it is there.
 */
import path from 'node:path';
import type { RingNode } from '../actors/node/index.js';
import { type BrokerConfig, type LoadedConfig, type NamesrvConfig, thisMachine } from '../config/index.js';
import { roleProblem } from './roles.js';
import { runNode } from './run-node.js';
import type { Shell } from './shell.js';

export interface BrokerRun {
  readonly loaded: LoadedConfig<BrokerConfig>;
  /** A name server for the same process. */
  readonly namesrv?: LoadedConfig<NamesrvConfig> | undefined;
  /** Takes changes made at run time; without one they go where RocketMQ puts them, into the store. */
  readonly configFile?: string | undefined;
  /** Said on a terminal once everything listens. */
  readonly summary?: (node: RingNode, address: string) => string;
}

/** Runs a broker until a signal stops it. Errors: those of RingNode.start. */
export async function runBroker(shell: Shell, program: string, run: BrokerRun): Promise<number> {
  const { loaded, namesrv } = run;
  checkRole(shell, program, loaded.config);
  const configFile = run.configFile ?? path.join(loaded.config.storePathRootDir, 'config', 'broker.properties');
  const options = { broker: loaded, configFile, ...(namesrv === undefined ? {} : { namesrv }) };
  return runNode(shell, program, options, async node => {
    const address = `${await advertisedAddress(loaded.config)}:${node.ports.broker}`;
    shell.out(successLine(loaded.config, address));
    if (run.summary !== undefined && shell.isTerminal) shell.out(run.summary(node, address));
  });
}

/** Source: spec/properties.md section 2. */
function successLine({ brokerName, namesrvAddr }: BrokerConfig, address: string): string {
  const line = `The broker[${brokerName}, ${address}] boot success. serializeType=JSON`;
  return namesrvAddr === '' ? line : `${line} and name server is ${namesrvAddr}`;
}

async function advertisedAddress({ brokerIP1, namesrvAddr }: BrokerConfig): Promise<string> {
  if (brokerIP1 !== '') return brokerIP1;
  const { localAddressTowards } = await import('../actors/node/advertised-address.js');
  const [first = ''] = namesrvAddr.split(';');
  const towards = first.trim() === '' ? undefined : await localAddressTowards(first.trim());
  return towards ?? thisMachine().localAddress;
}

function checkRole(shell: Shell, program: string, config: BrokerConfig): void {
  const problem = roleProblem(config);
  if (problem === undefined) return;
  const { message, advice } = problem;
  shell.err(`${program}: WARNING: ${message}.\n  ${advice}`);
}
