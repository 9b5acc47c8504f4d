/**
 * `ringmq namesrv` and `ringmq kv`.
 */
import { Command } from 'commander';
import { withExample } from '../options.js';
import type { ReachFlags } from '../reach.js';
import type { Shell } from '../shell.js';
import { type End, reaching } from './common.js';

const use = () => import('../commands/namesrv.js');

export function namesrv(shell: Shell, end: End): Command {
  const group = new Command('namesrv').description('configuration of the name servers');
  const show = new Command('config')
    .description('the configuration of every name server')
    .argument('[keys...]', 'these keys; all without them')
    .action(async (keys: string[], flags: ReachFlags) => end(await (await use()).namesrvConfig(shell, keys, flags)));
  const set = new Command('set')
    .description('change the configuration of running name servers')
    .argument('<key=value...>')
    .action(async (words: string[], flags: ReachFlags) =>
      end(await (await use()).setNamesrvConfig(shell, words, flags)),
    );
  group.addCommand(withExample(reaching(show), 'ringmq namesrv config orderMessageEnable'));
  group.addCommand(withExample(reaching(set), 'ringmq namesrv set orderMessageEnable=true'));
  return group;
}

export function kv(shell: Shell, end: End): Command {
  const group = new Command('kv').description('the key-value table of the name servers');
  const get = new Command('get')
    .description('print a value')
    .argument('<namespace>')
    .argument('<key>')
    .action(async (namespace: string, key: string, flags: ReachFlags) =>
      end(await (await use()).kvGet(shell, namespace, key, flags)),
    );
  const set = new Command('set')
    .description('set a value on every name server')
    .argument('<namespace>')
    .argument('<key>')
    .argument('<value>')
    .action(async (namespace: string, key: string, value: string, flags: ReachFlags) =>
      end(await (await use()).kvSet(shell, namespace, key, value, flags)),
    );
  const remove = new Command('delete')
    .description('delete a key on every name server')
    .argument('<namespace>')
    .argument('<key>')
    .action(async (namespace: string, key: string, flags: ReachFlags) =>
      end(await (await use()).kvDelete(shell, namespace, key, flags)),
    );
  const list = new Command('list')
    .description('print the keys and values of a namespace')
    .argument('<namespace>')
    .action(async (namespace: string, flags: ReachFlags) => end(await (await use()).kvList(shell, namespace, flags)));
  group.addCommand(withExample(reaching(get), 'ringmq kv get ORDER_TOPIC_CONFIG Orders'));
  group.addCommand(withExample(reaching(set), 'ringmq kv set ORDER_TOPIC_CONFIG Orders "broker-a:8;broker-b:8"'));
  group.addCommand(withExample(reaching(remove), 'ringmq kv delete ORDER_TOPIC_CONFIG Orders'));
  group.addCommand(withExample(reaching(list), 'ringmq kv list ORDER_TOPIC_CONFIG'));
  return group;
}
