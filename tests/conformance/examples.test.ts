/** The examples run as their first lines say, print what they promise, and leave nothing behind. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBrokerConfig, loadNamesrvConfig, RingNode } from '../../actors/node/index.js';
import { silentLogger } from '../../runtime/log/contract.js';
import { freePort, removeFolder, temporaryFolder } from '../support/node-process.js';

const examples = suite('examples');

const limitMs = 60_000;

interface Run {
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs a built example as a program of its own, with `folder` for its temporary files. */
function run(name: string, folder: string, ...args: readonly string[]): Promise<Run> {
  const file = fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
  const options = { timeout: limitMs, killSignal: 'SIGKILL', env: { ...process.env, TMPDIR: folder } } as const;
  return new Promise(resolve => {
    const child = execFile(process.execPath, [file, ...args], options, (_, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, lines: stdout.split('\n').slice(0, -1), errors: stderr });
    });
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

/** It ended well, without a word of complaint. */
function assertClean({ exitCode, errors }: Run): void {
  // Node may announce that something it offers is new.
  const complaints = errors
    .split('\n')
    .filter(line => line !== '' && !/ExperimentalWarning|--trace-warnings/.test(line));
  assert.equal(complaints, []);
  assert.is(exitCode, 0);
}

examples('start-a-node starts, sends, pulls and stops', () =>
  inFolder(async folder => {
    const outcome = await run('start-a-node', folder);
    assertClean(outcome);
    const [started = '', sent = '', ...rest] = outcome.lines.filter(line => !line.startsWith('{'));
    assert.match(started, /^started in \d+ ms, its name server is 127\.0\.0\.1:\d+$/);
    assert.match(sent, /^sent to queue [0-3], offset 0$/);
    assert.equal(rest, ['pulled: Hello from inside', 'stopped']);
    assert.equal(readdirSync(folder), [], 'nothing is left behind');
  }),
);

examples('start-a-node finds other ports when some are taken', () =>
  inFolder(async folder => {
    const [first, second] = ['first', 'second'].map(name => path.join(folder, name)) as [string, string];
    for (const own of [first, second]) mkdirSync(own);
    const outcomes = await Promise.all([run('start-a-node', first), run('start-a-node', second)]);
    for (const outcome of outcomes) {
      assertClean(outcome);
      assert.is(outcome.lines.at(-1), 'stopped');
    }
  }),
);

examples('send-and-pull sends five messages and pulls them back', () =>
  inFolder(async folder => {
    const port = await freePort();
    const namesrvPort = await freePort();
    const namesrvAddr = `127.0.0.1:${namesrvPort}`;
    const storePathRootDir = path.join(folder, 'store');
    const addresses = { bindAddress: '127.0.0.1', brokerIP1: '127.0.0.1', brokerName: 'broker-a' };
    const broker = loadBrokerConfig({ set: { ...addresses, listenPort: `${port}`, namesrvAddr, storePathRootDir } });
    const kvConfigPath = path.join(folder, 'kvConfig.json');
    const namesrv = loadNamesrvConfig({
      set: { bindAddress: '127.0.0.1', listenPort: `${namesrvPort}`, kvConfigPath },
    });
    const node = await RingNode.start({ broker, namesrv, logger: silentLogger });
    try {
      const outcome = await run('send-and-pull', folder, namesrvAddr);
      assertClean(outcome);
      const sent = outcome.lines
        .slice(0, 5)
        .map(line => /^sent {3}(\w{32}) to broker-a, queue \d, offset \d$/.exec(line)?.[1]);
      assert.is(new Set(sent).size, 5);
      const pulled = sent.map(
        (msgId, index) => `pulled ${msgId}: Hello number ${index + 1} (keys: order-${index + 1})`,
      );
      assert.equal(outcome.lines.slice(5), pulled);
    } finally {
      await node.stop();
    }
  }),
);

examples('tune-pools shows the lanes of both pools and what they did', () =>
  inFolder(async folder => {
    const outcome = await run('tune-pools', folder, String(await freePort()));
    assertClean(outcome);
    const names = outcome.lines.map(line => /^ {2}([\w-]+): \{/.exec(line)?.[1]).filter(name => name !== undefined);
    assert.equal(names, ['send-lane-0', 'commit-log-writer', 'send-lane-0', 'send-lane-1', 'commit-log-writer']);
    for (const lanes of [1, 2]) {
      const at = outcome.lines.findIndex(line => line.startsWith(`sendMessageThreadPoolNums=${lanes}:`));
      const [, acknowledged, refused] =
        / (\d+) sends, \d+ a second, (\d+) refused$/.exec(outcome.lines[at] ?? '') ?? [];
      assert.ok(Number(acknowledged) > 0, outcome.lines[at]);
      assert.is(Number(refused), 0, outcome.lines[at]);
      const counters = (line: string): Record<string, number> => JSON.parse(line.slice(line.indexOf('{')));
      const [writer, ...laneCounters] = outcome.lines
        .slice(at + 1, at + 2 + lanes)
        .reverse()
        .map(counters);
      const appended = writer?.messagesAppended ?? 0;
      assert.ok(appended >= Number(acknowledged), 'what was acknowledged is in the log');
      assert.ok(
        laneCounters.every(counter => (counter.requestsIn ?? 0) > 0),
        'each lane had work',
      );
      assert.is(
        laneCounters.reduce((sum, counter) => sum + (counter.requestsIn ?? 0), 0),
        appended,
      );
    }
    assert.equal(readdirSync(folder), [], 'nothing is left behind');
  }),
);

examples('trace-actors prints the way of its message and writes what Perfetto opens', () =>
  inFolder(async folder => {
    const file = path.join(folder, 'trace.json');
    const outcome = await run('trace-actors', folder, String(await freePort()), file);
    assertClean(outcome);
    const hops = outcome.lines.map(line => /^(\S.*?) +\S+ +\d+\.\d{3} ms after the hop before$/.exec(line)?.[1]);
    const order = ['arrived', 'taken by lane', 'encoded by lane', 'appended', 'dispatched', 'pulled'];
    assert.equal(
      hops.filter(label => order.includes(label ?? '')),
      order,
      outcome.lines.join('\n'),
    );
    assert.ok(hops.includes('flushed') && hops.includes('answered'), outcome.lines.join('\n'));
    assert.is(outcome.lines.at(-1), `everything that was noted is in ${file}`);
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { ph: string; name: string }[] };
    assert.ok(traceEvents.some(({ ph, name }) => ph === 'M' && name === 'thread_name'));
    assert.ok(traceEvents.some(({ ph, name }) => ph === 'i' && name === 'appended'));
    assert.equal(readdirSync(folder), ['trace.json'], 'nothing else is left behind');
  }),
);

examples('promote-a-slave changes master and slave over, and nothing is missing', () =>
  inFolder(async folder => {
    const outcome = await run('promote-a-slave', folder, String(await freePort()));
    assertClean(outcome);
    const [before = '', after = '', count = '', ...rest] = outcome.lines.filter(line => !line.startsWith('{'));
    const [, first, second] = /^master (\S+), slave (\S+)$/.exec(before) ?? [];
    assert.is(after, `master ${second}, slave ${first}`);
    const [, acknowledged] = /^(\d+) messages acknowledged, 0 missing$/.exec(count) ?? [];
    assert.ok(Number(acknowledged) >= 200, count);
    assert.equal(rest, []);
    assert.equal(readdirSync(folder), [], 'nothing is left behind');
  }),
);

examples.run();
