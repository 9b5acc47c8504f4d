// @limit 400
/**
 * The remoting client of Java RocketMQ 5, unmodified: every scenario of `clients/java5` holds against RingMQ.
 * `RINGMQ_JAVA_CLIENT` is another version to run with; what an older one lacks it leaves out.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaLaunchers } from '../support/java.js';
import { removeFolder, ringmqLaunchers, temporaryFolder } from '../support/node-process.js';
import { skip } from '../support/skip.js';
import { clientFolder, judge, reasonToSkip, runScenarios, type Verdicts } from '../support/stock-client.js';

const compiledWith = '5.5.0';
const version = process.env.RINGMQ_JAVA_CLIENT ?? compiledWith;
const limitMs = 150_000;
/** Scenarios that say most about how headers are written. */
const binaryScenarios = ['send.sync', 'send.async', 'send.batch', 'send.unicode', 'push.tags', 'pull', 'query'];

const java5 = suite('the Java 5 client');
const reason = reasonToSkip('java5', [
  ['javac', '-version'],
  ['java', '-version'],
  ['mvn', '-v'],
]);
let folder = '';
let classPath = '';

/** The jars of one version, fetched when they are not there. */
function resolve(clientVersion: string): string {
  const file = path.join(folder, `classpath-${clientVersion}`);
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:build-classpath';
  const argv = ['-B', '-q', `-Drocketmq.version=${clientVersion}`, `-Dmdep.outputFile=${file}`, goal];
  const resolved = spawnSync('mvn', argv, { cwd: clientFolder('java5'), encoding: 'utf8' });
  assert.is(resolved.status, 0, resolved.stdout);
  return fs.readFileSync(file, 'utf8').trim();
}

java5.before(() => {
  if (reason !== '') return;
  folder = temporaryFolder();
  const sources = path.join(clientFolder('java5'), 'src', 'conformance');
  const files = fs.readdirSync(sources).map(name => path.join(sources, name));
  const compilePath = resolve(compiledWith);
  const argv = ['-nowarn', '-proc:none', '-d', path.join(folder, 'classes'), '-cp', compilePath, ...files];
  const compiled = spawnSync('javac', argv, { encoding: 'utf8' });
  assert.is(compiled.status, 0, compiled.stderr);
  classPath = [path.join(folder, 'classes'), version === compiledWith ? compilePath : resolve(version)].join(':');
});

java5.after(() => {
  if (folder !== '') removeFolder(folder);
});

/** `serializeType`: how the client writes the headers of its requests, JSON or ROCKETMQ. */
function run(serializeType: string, scenarios: readonly string[] = []) {
  return (nameServer: string, broker: string, place: string): Promise<Verdicts> => {
    const options = ['-Xmx256m', `-Duser.home=${place}`, `-Drocketmq.serialize.type=${serializeType}`];
    const program = ['java', ...options, '-cp', classPath, 'conformance.Main'];
    return runScenarios([...program, nameServer, broker, ...scenarios], place, limitMs);
  };
}

java5(`${version} works with RingMQ`, async () => {
  if (reason !== '') return skip(reason);
  await judge('java5', ringmqLaunchers(), run('JSON'));
});

java5(`${version} works with RingMQ when it writes binary headers`, async () => {
  if (reason !== '') return skip(reason);
  await judge('java5', ringmqLaunchers(), run('ROCKETMQ', binaryScenarios));
});

java5(`${version} works with Java 4.9.7: the control of these scenarios`, async () => {
  if (reason !== '') return skip(reason);
  const excused = new Map([
    ['lite-pull.subscribed', 'the lite consumer of 5.x pulls with code 361, which 4.9.7 does not know'],
    ['lite-pull.assigned', 'the lite consumer of 5.x pulls with code 361, which 4.9.7 does not know'],
    ['query.newer-codes', 'the name server of 4.9.7 does not answer codes it does not know'],
  ]);
  await judge('java5', javaLaunchers('4.9.7'), run('JSON'), excused);
});

java5.run();
