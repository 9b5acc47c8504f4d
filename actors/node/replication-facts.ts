/** What a broker tells of replication in its runtime information. Cold. */
import type { HaStatus, SlaveStatus } from '../coordinator/mailbox.js';

/** What the HA rooms said last. */
export interface Replication {
  slaves: readonly SlaveStatus[];
  receiver?: Extract<HaStatus, { room: 'ha-receiver' }>;
  /** Path of the file with the end of the log that was set aside last; '' when none was. */
  readonly lastSetAside: string;
}

/** Rows of the runtime information (code 28); RocketMQ has none. */
export function replicationRows({ slaves, receiver, lastSetAside }: Replication): Record<string, string | number> {
  const rows: Record<string, string | number> = { haSlaves: slaves.length };
  for (const { address, ackOffset, behindBytes, behindMs } of slaves) {
    rows[`haSlave_${address}`] = `acknowledged ${ackOffset}, behind ${behindBytes} B, ${behindMs} ms`;
  }
  if (lastSetAside !== '') rows.haSetAside = lastSetAside;
  if (receiver === undefined || (receiver.state === 'ready' && receiver.master === '')) return rows;
  rows.haMaster = receiver.master;
  rows.haState = receiver.state.toUpperCase();
  if (receiver.trouble !== '') rows.haTrouble = receiver.trouble;
  if (receiver.beyond !== undefined) rows.haBeyondMaster = `${receiver.beyond.from} to ${receiver.beyond.to}`;
  return rows;
}
