/**
 * Rules across keys: what must agree, and what is worked out from other keys.
 *
 * Source: spec/properties.md section 9.
 */

import { assert } from '../runtime/base/assert.js';
import { ceilPowerOfTwo, formatBytes, KiB } from '../runtime/base/units.js';
import { parseDelayLevels } from './delay-levels.js';
import { type Draft, remarkOn } from './resolve.js';

/** What a record may take beyond its body: properties, topic, fixed fields. */
export const recordOverheadBytes = 64 * KiB;

function numberOf(draft: Draft, key: string): number {
  const value = draft.values.get(key);
  assert(typeof value === 'number', `${key} is not a number`);
  return value;
}

function textOf(draft: Draft, key: string): string {
  const value = draft.values.get(key);
  assert(typeof value === 'string', `${key} is not text`);
  return value;
}

const areSound = (draft: Draft, ...keys: string[]): boolean => !keys.some(key => draft.bad.has(key));
const isGiven = (draft: Draft, key: string): boolean => draft.sources.get(key) !== 'default';

const refuse = (draft: Draft, key: string, message: string): void =>
  void draft.issues.push(remarkOn(draft, key, message));
const warn = (draft: Draft, key: string, message: string): void =>
  void draft.warnings.push(remarkOn(draft, key, message));

function derive(draft: Draft, key: string, value: string | number): void {
  draft.values.set(key, value);
  draft.sources.set(key, 'derived');
}

function checkRole(draft: Draft): void {
  if (!areSound(draft, 'brokerRole', 'brokerId')) return;
  const role = textOf(draft, 'brokerRole');
  const brokerId = numberOf(draft, 'brokerId');
  if (role === 'SLAVE') {
    if (brokerId === 0) refuse(draft, 'brokerId', 'must be greater than 0 for brokerRole=SLAVE');
  } else if (brokerId !== 0) {
    warn(draft, 'brokerId', `is ignored: brokerRole=${role} is a master, and a master has brokerId 0`);
    derive(draft, 'brokerId', 0);
  }
}

function checkAddresses(draft: Draft): void {
  for (const entry of textOf(draft, 'namesrvAddr').split(';')) {
    const port = Number(entry.slice(entry.lastIndexOf(':') + 1));
    if (port > 65_535 || (entry.trim() !== '' && port === 0)) {
      refuse(draft, 'namesrvAddr', `must have ports from 1 to 65535: ${entry.trim()}`);
    }
  }
}

function checkPorts(draft: Draft): void {
  const listenPort = numberOf(draft, 'listenPort');
  if (listenPort === 1 || listenPort === 2) {
    refuse(draft, 'listenPort', 'must be at least 3, because listenPort - 2 is used too; or 0 for any free ports');
  }
  if (numberOf(draft, 'haListenPort') === 0) derive(draft, 'haListenPort', listenPort === 0 ? 0 : listenPort + 1);
  const haPort = numberOf(draft, 'haListenPort');
  if (haPort !== 0 && (haPort === listenPort || haPort === listenPort - 2)) {
    refuse(draft, 'haListenPort', 'must differ from listenPort and listenPort - 2, the two service ports');
  }
  const namesrvPort = numberOf(draft, 'namesrvListenPort');
  if (namesrvPort === 0 || listenPort === 0) return;
  for (const [port, use] of [
    [listenPort, 'listenPort'],
    [listenPort - 2, 'listenPort - 2, the second service port'],
    [numberOf(draft, 'haListenPort'), 'haListenPort'],
  ] as const) {
    if (port === namesrvPort) refuse(draft, 'namesrvListenPort', `must differ from ${use}`);
  }
}

function checkSizes(draft: Draft): void {
  if (!areSound(draft, 'maxMessageSize', 'mappedFileSizeCommitLog')) return;
  const largest = numberOf(draft, 'maxMessageSize') + recordOverheadBytes;
  const file = 'mappedFileSizeCommitLog';
  if (numberOf(draft, file) <= largest) {
    const overhead = formatBytes(recordOverheadBytes);
    // The remark goes to the key somebody wrote.
    if (isGiven(draft, file)) refuse(draft, file, `must be greater than maxMessageSize + ${overhead} = ${largest}`);
    else refuse(draft, 'maxMessageSize', `must be less than ${file} - ${overhead}`);
  }
  // A ring takes records of less than half its size, and a request is a record with a header around it.
  growToFit(draft, 'ringCapacityBytes', ceilPowerOfTwo(2 * (largest + recordOverheadBytes)));
  growToFit(draft, 'connectionOutboundBytesMax', 2 * largest);
}

/** A buffer must take the largest message, whatever its default or the file says. */
function growToFit(draft: Draft, key: string, neededBytes: number): void {
  if (numberOf(draft, key) >= neededBytes) return;
  if (isGiven(draft, key)) warn(draft, key, `is too small for maxMessageSize; ${neededBytes} is used`);
  derive(draft, key, neededBytes);
}

/** A message that waits longer than the log is kept is gone when it is due. */
function checkDelays(draft: Draft): void {
  const key = 'messageDelayLevel';
  if (!areSound(draft, key, 'fileReservedTime')) return;
  const reservedHours = numberOf(draft, 'fileReservedTime');
  const longestMs = Math.max(...parseDelayLevels(textOf(draft, key)));
  if (longestMs <= reservedHours * 3_600_000) return;
  const given = isGiven(draft, 'fileReservedTime') && !isGiven(draft, key) ? 'fileReservedTime' : key;
  warn(draft, given, 'a level is longer than the log is kept (fileReservedTime): its messages may be lost');
}

function checkDiskLevels(draft: Draft): void {
  const warning = numberOf(draft, 'diskSpaceWarningLevelRatio');
  const forcibly = numberOf(draft, 'diskSpaceCleanForciblyRatio');
  if (forcibly > warning) {
    const key = isGiven(draft, 'diskSpaceCleanForciblyRatio')
      ? 'diskSpaceCleanForciblyRatio'
      : 'diskSpaceWarningLevelRatio';
    warn(draft, key, 'sends are refused (diskSpaceWarningLevelRatio) before files go (diskSpaceCleanForciblyRatio)');
  }
}

export function applyBrokerRules(draft: Draft): void {
  checkRole(draft);
  checkAddresses(draft);
  checkPorts(draft);
  checkSizes(draft);
  checkDiskLevels(draft);
  checkDelays(draft);
  if (textOf(draft, 'storePathCommitLog') === '') {
    derive(draft, 'storePathCommitLog', `${textOf(draft, 'storePathRootDir')}/commitlog`);
  }
}

/** `file` is the configuration file, which also takes the changes made at run time. */
export function applyNamesrvRules(draft: Draft, file: string | undefined): void {
  const key = 'configStorePath';
  if (file === undefined) return;
  if (isGiven(draft, key) && textOf(draft, key) !== file) {
    warn(draft, key, `is ignored: changes are written to the file that was loaded, ${file}`);
  }
  derive(draft, key, file);
}
