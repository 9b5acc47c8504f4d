/**
 * What somebody who just started a node at a terminal wants to know.
 */
import type { BrokerConfig } from '../config/index.js';
import { hostToReach } from './load.js';
import type { Shell } from './shell.js';

const durability: Readonly<Record<BrokerConfig['flushDiskType'], string>> = {
  SYNC_FLUSH: 'a send is answered when its message is on disk',
  ASYNC_FLUSH: 'a send is answered before its message is on disk; a power failure can lose the last moments',
};

/** The lines; `namesrvPort` when a name server runs in the same process. */
export function startSummary(shell: Shell, config: BrokerConfig, address: string, namesrvPort?: number): string {
  const { brokerName, brokerClusterName, bindAddress, flushDiskType, storePathRootDir } = config;
  const own = namesrvPort === undefined ? undefined : `${hostToReach(bindAddress)}:${namesrvPort}`;
  const namesrv = own ?? config.namesrvAddr;
  // The commands look there without being told.
  const option = namesrv === '' || namesrv === '127.0.0.1:9876' ? '' : ` -n '${namesrv}'`;
  const rows: [string, string][] = [
    ['broker', `${brokerName} of ${brokerClusterName}, at ${address}`],
    ['name server', own === undefined ? namesrv || 'none' : `${own}, in this process`],
    ['store', storePathRootDir],
    ['durability', `${flushDiskType}: ${durability[flushDiskType]}`],
    ['try', `ringmq send Hello "Hello, RingMQ"${option} && ringmq pull Hello${option}`],
    ['stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([label, text]) => `  ${shell.style('dim', label.padEnd(12))} ${text}`);
  return ['', ...lines, ''].join('\n');
}
