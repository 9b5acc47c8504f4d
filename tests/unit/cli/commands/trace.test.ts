/** `ringmq trace` against a running node. */
import fs from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../../../cli/exit-codes.js';
import { Producer } from '../../../../client/index.js';
import { removeFolder, temporaryFolder } from '../../../support/node-process.js';
import { TestNode } from '../support.js';

const trace = suite('ringmq trace');
let node: TestNode;

trace.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
  assert.is((await node.ringmq('topic', 'create', 'T')).code, 0);
  await node.until(({ code }) => code === 0, 'topic', 'route', 'T');
});

trace.after(() => node.stop());

trace('what was not traced has no hops, and nothing to export', async () => {
  assert.is((await node.ringmq('send', 'T', 'untraced', '--keys', 'before')).code, 0);
  const message = await node.until(
    ({ err }) => !err.includes('no message of T'),
    'trace',
    'message',
    'before',
    '-t',
    'T',
  );
  assert.is(message.code, ExitCode.FAILED);
  assert.match(message.err, /the message is there, and its send was not traced/);
  const exported = await node.ringmq('trace', 'export', '--output', '/nowhere/trace.json');
  assert.is(exported.code, ExitCode.FAILED);
  assert.match(exported.err, /nothing was traced in the last 60 s/);
});

trace('start, a message by its key, export, stop', async () => {
  const started = await node.ringmq('trace', 'start');
  assert.is(started.out, 'broker-a traces every request; `ringmq trace stop` ends it');
  assert.is((await node.ringmq('send', 'T', 'traced', '--keys', 'k7')).code, 0);
  const { out } = await node.until(({ code }) => code === 0, 'trace', 'message', 'k7', '--topic', 'T');
  assert.match(out, /^HOP +ACTOR +AT MS +TOOK MS\narrived +remoting +0\.000 +0\.000\ntaken by lane +send-lane-0 /);
  assert.match(out, /^made \d+ ms before it arrived, by the clock of its client$/m);
  assert.match(out, /^answered \d+\.\d{3} ms after it arrived$/m);
  const folder = temporaryFolder();
  try {
    const file = path.join(folder, 'trace.json');
    assert.match((await node.ringmq('trace', 'export', '--output', file)).out, /^\d+ events of \d+ actors are in /);
    const { traceEvents } = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.equal(traceEvents[0], { pid: 1, ph: 'M', name: 'process_name', args: { name: 'broker-a-0' } });
  } finally {
    removeFolder(folder);
  }
  assert.is((await node.ringmq('trace', 'stop')).out, 'broker-a traces nothing');
});

trace('a message that waits to be due is found by its key', async () => {
  await node.ringmq('trace', 'start');
  await using producer = new Producer({ namesrvAddr: node.namesrvAddr, producerGroup: 'trace-producers' });
  await producer.start();
  await producer.send({ topic: 'T', keys: 'k8', body: 'in two hours', delayLevel: 18 });
  const { out } = await node.until(({ code }) => code === 0, 'trace', 'message', 'k8', '--topic', 'T', '--json');
  const { hops } = JSON.parse(out) as { hops: { label: string }[] };
  assert.ok(hops.some(({ label }) => label === 'encoded to wait'));
  assert.not(hops.some(({ label }) => label === 'due'));
  await node.ringmq('trace', 'stop');
});

trace.run();
