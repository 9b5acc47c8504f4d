/**
 * The role that a broker was given on command, kept in its store: it holds against the configuration, whose words are
 * older, until somebody changes them. Cold.
 */
import { join } from 'node:path';
import { type BrokerConfig, formatIssue, type LoadedConfig, updateConfig } from '../../config/index.js';
import { messageOf, RingError } from '../../runtime/base/errors.js';
import type { Disk } from '../../storage/disk.js';

export interface BrokerRole {
  readonly brokerRole: BrokerConfig['brokerRole'];
  readonly brokerId: number;
}

interface KeptRole extends BrokerRole {
  /** What the configuration said when the role was changed. */
  readonly configured: BrokerRole;
  /** Units: ms since the epoch. */
  readonly sinceMs: number;
}

const FILE = 'role.json';

export function roleOf({ brokerRole, brokerId }: BrokerRole): BrokerRole {
  return { brokerRole, brokerId };
}

/** Puts the role on the device before anybody acts on it. Errors: RingError DISK_WRITE_FAILED. */
export function keepRole(disk: Disk, folder: string, role: BrokerRole, configured: BrokerRole): void {
  const kept: KeptRole = { ...roleOf(role), configured: roleOf(configured), sinceMs: Date.now() };
  const file = join(folder, FILE);
  disk.makeFolder(folder);
  disk.writeText(`${file}.tmp`, `${JSON.stringify(kept, null, 2)}\n`);
  disk.rename(`${file}.tmp`, file);
  disk.syncFolder(folder);
}

/**
 * The role to start with where it is not that of the configuration.
 * Errors: RingError STORE_CORRUPT: a broker that guessed could be a second master.
 */
export function keptRole(disk: Disk, folder: string, configured: BrokerRole): BrokerRole | undefined {
  const file = join(folder, FILE);
  const text = disk.readText(file);
  if (text === undefined) return undefined;
  const kept = parse(text, file);
  const isSaid =
    kept.configured.brokerRole === configured.brokerRole && kept.configured.brokerId === configured.brokerId;
  return isSaid ? roleOf(kept) : undefined;
}

function parse(text: string, file: string): KeptRole {
  try {
    const { brokerRole, brokerId, configured, sinceMs } = JSON.parse(text) as KeptRole;
    return { brokerRole, brokerId, configured: roleOf(configured), sinceMs };
  } catch (cause) {
    const message = `${file} cannot be read: ${messageOf(cause)}; write brokerRole and brokerId as they have to be, or remove it`;
    throw new RingError('STORE_CORRUPT', message, { file }, { cause });
  }
}

/** The configuration in another role. Errors: RingError CONFIG_INVALID. */
export function withRole(
  loaded: LoadedConfig<BrokerConfig>,
  { brokerRole, brokerId }: BrokerRole,
): LoadedConfig<BrokerConfig> {
  const result = updateConfig(loaded, `brokerRole=${brokerRole}\nbrokerId=${brokerId}\n`);
  if (result.ok) return result.loaded;
  const reason =
    'forbidden' in result
      ? `configBlackList has ${result.forbidden.join(', ')}`
      : result.issues.map(formatIssue).join('; ');
  throw new RingError('CONFIG_INVALID', `the role cannot be changed: ${reason}`);
}
