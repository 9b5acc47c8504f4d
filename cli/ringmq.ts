/**
 * `ringmq`: everything from a first node to looking into a running one. The tree of commands is under `tree/`; each
 * command loads what it needs when it runs.
 */
import { Command } from 'commander';
import { packageVersion } from './package-files.js';
import type { Shell } from './shell.js';
import { broker, cluster } from './tree/cluster.js';
import type { End } from './tree/common.js';
import { group, producer, stats } from './tree/group.js';
import { message, pull, send } from './tree/message.js';
import { kv, namesrv } from './tree/namesrv.js';
import { check, completion, config, start, wiring } from './tree/node.js';
import { doctor, pools } from './tree/pools.js';
import { demote, promote, rejoin, setAside, switchOver } from './tree/role.js';
import { topic } from './tree/topic.js';
import { trace } from './tree/trace.js';

export function ringmq(shell: Shell, end: End): Command {
  const program = new Command('ringmq')
    .description('RingMQ: a message broker that speaks RocketMQ.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .showHelpAfterError('(`ringmq help COMMAND` says how a command is used)');
  const daily = [start, send, pull, message, topic, group, producer, stats, cluster, broker, namesrv, kv];
  const roles = [promote, demote, switchOver, rejoin, setAside];
  for (const make of [...daily, ...roles, pools, doctor, trace, wiring, config, check])
    program.addCommand(make(shell, end));
  program.addCommand(completion(shell, end, () => program));
  return program;
}
