/**
 * What master and slave send each other on the HA port: reports one way, transfers the other. Nothing else frames them.
 * Source: spec ha 2; HAConnection, HAClient.
 */
import { assert } from '../runtime/base/assert.js';
import { getI32, getI64, putI32, putI64 } from './bytes.js';
import { layout } from './layout.js';

/** Slave to master: how far the slave's log reaches. The first one asks, the later ones acknowledge. */
export const HaReport = layout('HaReport', {
  slaveMaxPhyOffset: 'i64', // end of the slave's log
});
assert(HaReport.size === 8, 'a report takes 8 bytes');

/** Master to slave: raw bytes of the log follow; none in a heartbeat. */
export const HaTransferHeader = layout('HaTransferHeader', {
  physicalOffset: 'i64', // where the bytes that follow stand in the log
  bodySize: 'i32', // how many follow
});
assert(HaTransferHeader.size === 12, 'a transfer header takes 12 bytes');

export function putHaReport(target: Uint8Array, at: number, slaveMaxPhyOffset: number): void {
  putI64(target, at + HaReport.at.slaveMaxPhyOffset, slaveMaxPhyOffset);
}

export function haReportOffset(bytes: Uint8Array, at: number): number {
  return getI64(bytes, at + HaReport.at.slaveMaxPhyOffset);
}

export function putHaTransferHeader(target: Uint8Array, at: number, physicalOffset: number, bodySize: number): void {
  putI64(target, at + HaTransferHeader.at.physicalOffset, physicalOffset);
  putI32(target, at + HaTransferHeader.at.bodySize, bodySize);
}

export function haTransferOffset(bytes: Uint8Array, at: number): number {
  return getI64(bytes, at + HaTransferHeader.at.physicalOffset);
}

export function haTransferBodySize(bytes: Uint8Array, at: number): number {
  return getI32(bytes, at + HaTransferHeader.at.bodySize);
}
