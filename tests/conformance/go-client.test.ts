// @limit 300
/** The Go client of RocketMQ, unmodified: every scenario of `clients/go` holds against RingMQ. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaLaunchers } from '../support/java.js';
import { removeFolder, ringmqLaunchers, temporaryFolder } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { clientFolder, judge, reasonToSkip, runScenarios } from '../support/stock-client.js';

const limitMs = 120_000;

const goClient = suite('the Go client');
const reason = reasonToSkip('go', [['go', 'version']]);
let folder = '';

goClient.before(() => {
  if (reason !== '') return;
  folder = temporaryFolder();
  const argv = ['build', '-o', path.join(folder, 'scenarios'), '.'];
  const built = spawnSync('go', argv, { cwd: clientFolder('go'), encoding: 'utf8' });
  assert.is(built.status, 0, built.stderr);
});

goClient.after(() => {
  if (folder !== '') removeFolder(folder);
});

const run = (nameServer: string, broker: string, place: string) =>
  runScenarios([path.join(folder, 'scenarios'), nameServer, broker], place, limitMs);

goClient('works with RingMQ', async () => {
  if (reason !== '') return skip(reason);
  await judge('go', ringmqLaunchers(), run);
});

goClient('works with Java 4.9.7: the control of these scenarios', async () => {
  if (reason !== '') return skip(reason);
  await judge('go', javaLaunchers('4.9.7'), run, new Map());
});

goClient.run();
