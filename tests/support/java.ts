/**
 * Java RocketMQ as a peer. `RINGMQ_REFERENCE` names a folder with the launchers `mqnamesrv` and `mqbroker`, each of
 * which takes a version as first argument and is otherwise called like Java's own; without it, tests that need Java are
 * skipped.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Launchers } from './node-process.js';

/** The launchers of a version, or the reason why it cannot be had here. */
export function javaLaunchers(version: string): Launchers | string {
  const reference = process.env.RINGMQ_REFERENCE;
  if (!reference) return 'RINGMQ_REFERENCE does not name the folder of the Java launchers';
  const folder = path.resolve(reference);
  const [nameServer, broker] = [path.join(folder, 'mqnamesrv'), path.join(folder, 'mqbroker')];
  if (!fs.existsSync(nameServer) || !fs.existsSync(broker)) return `no mqnamesrv and mqbroker in ${folder}`;
  if (spawnSync('java', ['-version']).status !== 0) return 'there is no java';
  return {
    name: `java ${version}`,
    nameServer: [nameServer, version, '-p', '{port}'],
    broker: [broker, version],
    settings: {
      // With more threads the Java broker stores the pipelined sends of one connection in any order.
      sendMessageThreadPoolNums: '1',
    },
    environment: { JAVA_HEAP: process.env.JAVA_HEAP ?? '512m' },
    segmentSizePrefix: version.startsWith('3.') ? 'mapedFileSize' : 'mappedFileSize',
  };
}

/**
 * The jars of a version, as `java -cp` takes them, fetched when they are not there. Errors: Error when they cannot be
 * had.
 */
export function javaClasspath(version: string): string {
  const reference = path.resolve(process.env.RINGMQ_REFERENCE ?? '');
  const { status, stderr } = spawnSync(path.join(reference, 'resolve'), [version], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Java RocketMQ ${version} cannot be had: ${stderr ?? 'there is no resolve'}`);
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return fs.readFileSync(path.join(cache, 'ringmq-reference', version, 'classpath'), 'utf8').trim();
}
