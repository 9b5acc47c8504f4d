/** The examples that need a running cluster, as programs of their own: what they print is what they promise. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { ClientCluster } from '../support/client-cluster.js';
import type { ClientScenario } from '../support/client-scenario.js';

const limitMs = 90_000;

/** The lines a built example prints. Errors: when it ends badly, or complains. */
function run(cluster: ClientCluster, name: string, ...args: readonly string[]): Promise<string[]> {
  const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const options = { timeout: limitMs, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [file, cluster.namesrvAddr, ...args], options, (error, stdout, stderr) => {
      if (error !== null || stderr !== '') reject(new Error(`${name}: ${error?.message}\n${stdout}\n${stderr}`));
      else resolve(stdout.split('\n').slice(0, -1));
    });
  });
}

const times = (lines: readonly string[], wanted: string | RegExp): number =>
  lines.filter(line => (typeof wanted === 'string' ? line === wanted : wanted.test(line))).length;

async function articleConsumer(cluster: ClientCluster): Promise<void> {
  const producer = await cluster.producer();
  for (const body of ['plain 0', 'plain 1', 'plain 2']) await producer.send({ topic: 'TopicTest1', body });
  const lines = await run(cluster, 'article-consumer', '1000');
  assert.is(times(lines, /^Consume from the queue: broker-a, queue \d$/), 4);
  for (const body of ['plain 0', 'plain 1', 'plain 2']) assert.is(times(lines, body), 1, body);
}

async function articlePrograms(cluster: ClientCluster): Promise<void> {
  const sent = await run(cluster, 'article-producer', '3', '10');
  for (const letter of ['A', 'B', 'C']) assert.is(times(sent, `executeLocalTransaction--msg=Hello MetaQ${letter}`), 3);
  assert.is(times(sent, 'executeLocalTransaction--arg=$$$$$$$'), 9);
  assert.is(times(sent, /^SEND_OK \w{32} TopicTest[123], queue \d$/), 9);
  const lines = await run(cluster, 'article-consumer', '1000');
  assert.is(times(lines, 'Hello MetaQA'), 3, 'what was committed is seen');
}

async function sendAndPull(cluster: ClientCluster): Promise<void> {
  assert.is(times(await run(cluster, 'send-and-pull'), /^pulled .*Hello number \d/), 5);
}

async function pushConsumer(cluster: ClientCluster): Promise<void> {
  const lines = await run(cluster, 'push-consumer');
  for (let number = 0; number < 10; number++) {
    // At least once: what a member consumes while its queue goes over to the other one may be seen by both.
    assert.ok(times(lines, new RegExp(`^(first|second) consumed order ${number}$`)) >= 1, `order ${number}`);
  }
  assert.is(lines.at(-1), 'all 10 orders were consumed');
}

async function orderedConsumer(cluster: ClientCluster): Promise<void> {
  const lines = await run(cluster, 'ordered-consumer');
  for (const customer of ['Ada', 'Grace', 'Edsger']) {
    const own = lines.filter(line => line.startsWith(customer));
    assert.equal(
      own,
      ['ordered', 'paid', 'shipped'].map(step => `${customer}: ${step}`),
    );
  }
}

async function transaction(cluster: ClientCluster): Promise<void> {
  const lines = await run(cluster, 'transaction');
  const states = [
    'order over 30: COMMIT_MESSAGE',
    'order over 3000: ROLLBACK_MESSAGE',
    'order over 99: COMMIT_MESSAGE',
  ];
  assert.equal(lines.slice(0, 3), states);
  assert.equal(lines.slice(3).sort(), ['consumed the order over 30', 'consumed the order over 99']);
}

async function requestReply(cluster: ClientCluster): Promise<void> {
  assert.equal(await run(cluster, 'request-reply'), ['20 + 22 = 42']);
}

async function delayedMessage(cluster: ClientCluster): Promise<void> {
  const [line = '', ...rest] = await run(cluster, 'delayed-message');
  const seconds = Number(/^"a second later" was delivered after (\d+\.\d) s$/.exec(line)?.[1]);
  assert.ok(seconds >= 0.9, line);
  assert.equal(rest, []);
}

export const exampleScenarios: readonly ClientScenario[] = [
  { title: 'examples/send-and-pull', needs: ['consume'], run: sendAndPull },
  { title: 'examples/article-consumer', needs: ['consume'], run: articleConsumer },
  { title: 'examples/article-producer', needs: ['transaction'], run: articlePrograms },
  { title: 'examples/push-consumer', needs: ['consume'], run: pushConsumer },
  { title: 'examples/ordered-consumer', needs: ['lock'], run: orderedConsumer },
  { title: 'examples/transaction', needs: ['transaction'], run: transaction },
  { title: 'examples/request-reply', needs: ['reply'], run: requestReply },
  { title: 'examples/delayed-message', needs: ['delay'], run: delayedMessage },
];
