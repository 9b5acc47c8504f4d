/**
 * What somebody who just started a node at a terminal wants to know.
 */
import type { BrokerConfig } from '../config/index.js';
import type { Shell } from './shell.js';

const durability: Readonly<Record<BrokerConfig['flushDiskType'], string>> = {
  SYNC_FLUSH: 'a send is answered when its message is on disk',
  ASYNC_FLUSH: 'a send is answered before its message is on disk; a power failure can lose the last moments',
};

/** The lines; `namesrvPort` when a name server runs in the same process. */
export function startSummary(shell: Shell, config: BrokerConfig, address: string, namesrvPort?: number): string {
  const { brokerName, brokerClusterName, bindAddress, flushDiskType, storePathRootDir } = config;
  const namesrv = namesrvPort === undefined ? config.namesrvAddr : `${bindAddress}:${namesrvPort}, in this process`;
  // Where the commands find it without being told.
  const option = namesrvPort === 9876 || namesrvPort === undefined ? '' : ` -n 127.0.0.1:${namesrvPort}`;
  const rows: [string, string][] = [
    ['broker', `${brokerName} of ${brokerClusterName}, at ${address}`],
    ['name server', namesrv === '' ? 'none' : namesrv],
    ['store', storePathRootDir],
    ['durability', `${flushDiskType}: ${durability[flushDiskType]}`],
    ['try', `ringmq send Hello "Hello, RingMQ"${option} && ringmq pull Hello${option}`],
    ['stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([label, text]) => `  ${shell.style('dim', label.padEnd(12))} ${text}`);
  return ['', ...lines, ''].join('\n');
}
