/** What a broker tells of replication in its runtime information. Cold. */
import type { HaStatus, SlaveStatus } from '../coordinator/mailbox.js';

/** What the HA rooms said last. */
export interface Replication {
  slaves: readonly SlaveStatus[];
  receiver?: Extract<HaStatus, { room: 'ha-receiver' }>;
}

/** Rows of the runtime information (code 28); RocketMQ has none. */
export function replicationRows({ slaves, receiver }: Replication): Record<string, string | number> {
  const rows: Record<string, string | number> = { haSlaves: slaves.length };
  for (const { address, ackOffset, behindBytes, behindMs } of slaves) {
    rows[`haSlave_${address}`] = `acknowledged ${ackOffset}, behind ${behindBytes} B, ${behindMs} ms`;
  }
  if (receiver === undefined || (receiver.state === 'ready' && receiver.master === '')) return rows;
  rows.haMaster = receiver.master;
  rows.haState = receiver.state.toUpperCase();
  if (receiver.trouble !== '') rows.haTrouble = receiver.trouble;
  return rows;
}
