/**
 * `ringmq namesrv` and `ringmq kv`: configuration of the name servers, and the table they keep for others. What changes
 * something goes to every name server of `-n`: they do not tell each other.
 */
import { nearest } from '../../config/nearest.js';
import { ExitCode } from '../exit-codes.js';
import { CliError } from '../failure.js';
import { printJson, type ReachFlags, withAdmin } from '../reach.js';
import { readSetting } from '../settings-words.js';
import type { Shell } from '../shell.js';
import { renderPairs, renderTable } from '../table.js';

/** Prints the configuration of every name server: all keys, or those asked for. Errors: CliError for unknown ones. */
export async function namesrvConfig(shell: Shell, keys: readonly string[], flags: ReachFlags): Promise<number> {
  const configs = await withAdmin(shell, flags, async ({ nameServers }) => {
    const read: [string, Record<string, string>][] = [];
    for (const address of nameServers.addresses) read.push([address, await nameServers.config(address)]);
    return read;
  });
  for (const [, config] of configs) for (const key of keys) requireKey(config, key);
  const shown = configs.map(([address, config]) => {
    const names = keys.length === 0 ? Object.keys(config).sort() : keys;
    return [address, Object.fromEntries(names.map(name => [name, config[name]!]))] as const;
  });
  if (flags.json) printJson(shell, Object.fromEntries(shown));
  else {
    for (const [address, config] of shown) {
      if (shown.length > 1) shell.out(`# ${address}`);
      shell.out(
        Object.entries(config)
          .map(([key, value]) => `${key}=${value}`)
          .join('\n'),
      );
    }
  }
  return ExitCode.OK;
}

function requireKey(config: Readonly<Record<string, string>>, key: string): void {
  if (Object.hasOwn(config, key)) return;
  const meant = nearest(key, Object.keys(config));
  const advice = meant === undefined ? '`ringmq namesrv config` shows all of them.' : `Did you mean ${meant}?`;
  throw new CliError(`the name server has no key ${key}`, ExitCode.FAILED, [advice]);
}

/** Changes keys of every name server and looks whether they took them. */
export async function setNamesrvConfig(shell: Shell, words: readonly string[], flags: ReachFlags): Promise<number> {
  const wanted = Object.fromEntries(words.map(readSetting));
  const changes = await withAdmin(shell, flags, async ({ nameServers }) => {
    const made: { namesrvAddr: string; key: string; before: string; after: string; taken: boolean }[] = [];
    for (const namesrvAddr of nameServers.addresses) {
      const before = await nameServers.config(namesrvAddr);
      for (const key of Object.keys(wanted)) requireKey(before, key);
      await nameServers.updateConfig(namesrvAddr, wanted);
      const after = await nameServers.config(namesrvAddr);
      for (const [key, value] of Object.entries(wanted)) {
        const now = after[key] ?? '';
        made.push({ namesrvAddr, key, before: before[key]!, after: now, taken: now === value.trim() });
      }
    }
    return made;
  });
  if (flags.json) printJson(shell, changes);
  else {
    const rows = changes.map(({ namesrvAddr, key, before, after }) => [namesrvAddr, key, before, after]);
    shell.out(renderTable(shell, ['NAME SERVER', 'KEY', 'BEFORE', 'NOW'], rows));
  }
  const refused = changes.filter(({ taken }) => !taken).map(({ key }) => key);
  if (refused.length === 0) return ExitCode.OK;
  shell.err(`ringmq: a name server holds another value than asked for: ${[...new Set(refused)].join(', ')}`);
  return ExitCode.FAILED;
}

/** Prints one value of the table. Errors: CliError when there is none. */
export async function kvGet(shell: Shell, namespace: string, key: string, flags: ReachFlags): Promise<number> {
  const value = await withAdmin(shell, flags, ({ nameServers }) => nameServers.kvConfig(namespace, key));
  if (value === undefined) throw new CliError(`${namespace} has no key ${key}`, ExitCode.FAILED);
  if (flags.json) printJson(shell, { namespace, key, value });
  else shell.out(value);
  return ExitCode.OK;
}

export async function kvSet(
  shell: Shell,
  namespace: string,
  key: string,
  value: string,
  flags: ReachFlags,
): Promise<number> {
  const namesrvAddrs = await withAdmin(shell, flags, async ({ nameServers }) => {
    await nameServers.putKvConfig(namespace, key, value);
    return nameServers.addresses;
  });
  if (flags.json) printJson(shell, { namespace, key, value, namesrvAddrs });
  else shell.out(`${namespace} ${key} is ${value} on ${namesrvAddrs.join(', ')}`);
  return ExitCode.OK;
}

/** Deletes a key. Errors: CliError when there is none. */
export async function kvDelete(shell: Shell, namespace: string, key: string, flags: ReachFlags): Promise<number> {
  const namesrvAddrs = await withAdmin(shell, flags, async ({ nameServers }) => {
    if ((await nameServers.kvConfig(namespace, key)) === undefined) {
      throw new CliError(`${namespace} has no key ${key}`, ExitCode.FAILED);
    }
    await nameServers.deleteKvConfig(namespace, key);
    return nameServers.addresses;
  });
  if (flags.json) printJson(shell, { namespace, key, namesrvAddrs });
  else shell.out(`${namespace} ${key} is deleted from ${namesrvAddrs.join(', ')}`);
  return ExitCode.OK;
}

/** Prints a namespace of the table. Errors: CliError when there is none. */
export async function kvList(shell: Shell, namespace: string, flags: ReachFlags): Promise<number> {
  const table = await withAdmin(shell, flags, ({ nameServers }) => nameServers.kvList(namespace));
  if (table === undefined) throw new CliError(`there is no namespace ${namespace}`, ExitCode.FAILED);
  if (flags.json) printJson(shell, table);
  else if (Object.keys(table).length === 0) shell.out(`${namespace} is empty`);
  else shell.out(renderPairs(shell, Object.entries(table)));
  return ExitCode.OK;
}
