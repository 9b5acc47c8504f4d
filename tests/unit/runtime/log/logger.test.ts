import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../../runtime/base/errors.js';
import { createRootLogger, createThreadLogger, type RootLoggerOptions } from '../../../../runtime/log/logger.js';
import { until } from '../../../support/until.js';
import { withWorkers } from '../../../support/worker-harness.js';
import type { ThreadLogWorkerData } from './thread-log.worker.js';

const logger = suite('logger');
const workerFile = new URL('./thread-log.worker.js', import.meta.url);

interface Line {
  readonly level: number;
  readonly name: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const openRoot = async (options: Partial<RootLoggerOptions> = {}, isTerminal = false) => {
  const written: string[] = [];
  const output = { isTerminal, write: (text: string) => void written.push(text) };
  const root = await createRootLogger({ level: 'info', name: 'broker-a', pretty: 'auto', output, ...options });
  const lines = (): Line[] => written.map(text => JSON.parse(text) as Line);
  return { root, written, lines };
};

logger('writes JSON lines where there is no terminal', async () => {
  const { root, written, lines } = await openRoot();
  root.logger.debug({}, 'below the level');
  root.logger.child({ topic: 'T' }).warn({ err: new RingError('STORE_LOCKED', 'in use', { pid: 1 }) }, 'cannot start');
  await root.close();
  assert.is(written.length, 1);
  assert.ok(written[0]!.endsWith('}\n'));
  const [line] = lines();
  assert.is(line!.level, 40);
  assert.is(line!.name, 'broker-a');
  assert.is(line!.topic, 'T');
  assert.is(line!.msg, 'cannot start');
  assert.is((line!.err as { code: string }).code, 'STORE_LOCKED');
});

logger('writes for people on a terminal, in colour only there', async () => {
  const colourBefore = process.env.NO_COLOR;
  try {
    for (const noColour of [false, true]) {
      if (noColour) process.env.NO_COLOR = '1';
      else delete process.env.NO_COLOR;
      const terminal = await openRoot({}, true);
      terminal.root.logger.info({ port: 10911 }, 'listening');
      await terminal.root.close();
      assert.match(terminal.written[0]!, /INFO/);
      assert.match(terminal.written[0]!, /listening/);
      assert.is(terminal.written[0]!.includes('\u001b['), !noColour);
    }
  } finally {
    if (colourBefore === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = colourBefore;
  }
  const plain = await openRoot({ pretty: true }, false);
  plain.root.logger.info({ port: 10911 }, 'listening');
  await plain.root.close();
  assert.match(plain.written[0]!, /INFO.*listening/);
  assert.not.match(plain.written[0]!, /\u001b\[/);
  const json = await openRoot({ pretty: false }, true);
  json.root.logger.info({ port: 10911 }, 'listening');
  await json.root.close();
  assert.is(json.lines()[0]!.port, 10911);
});

logger('also writes JSON lines to a file in the log folder', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-'));
  try {
    const logDir = path.join(folder, 'logs');
    const { root, written } = await openRoot({ logDir }, true);
    root.logger.info({ port: 1 }, 'first');
    const thread = createThreadLogger(root.attachThread('room'), 'info', 'room');
    thread.info({}, 'second');
    await root.close();
    const lines = fs.readFileSync(path.join(logDir, 'broker-a.log'), 'utf8').trimEnd().split('\n');
    assert.equal(
      lines.map(line => (JSON.parse(line) as Line).msg),
      ['first', 'second'],
    );
    assert.is(written.length, 2);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

logger('goes on without files when the log folder cannot be written', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-'));
  try {
    const notAFolder = path.join(folder, 'file');
    fs.writeFileSync(notAFolder, '');
    const { root, lines } = await openRoot({ logDir: notAFolder });
    root.logger.info({}, 'before');
    await until(() => lines().length === 2, 'the failure is told');
    root.logger.info({}, 'after');
    await root.close();
    assert.equal(
      lines().map(line => line.level),
      [30, 50, 30],
    );
    assert.is(lines()[1]!.logDir, notAFolder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

logger('writes what a thread said that then blocks for ever', async () => {
  const { root, lines } = await openRoot();
  await withWorkers(async workers => {
    const log = root.attachThread('test-thread');
    workers.start(workerFile, { log, ending: 'block', lines: 3 } satisfies ThreadLogWorkerData);
    await until(() => lines().length === 3, 'three lines come out');
  });
  await root.close();
  for (const [index, line] of lines().entries()) {
    assert.equal([line.level, line.name, line.room, line.line], [30, 'test-thread', 7, index]);
  }
});

logger('writes what a thread said that then throws', async () => {
  const { root, lines } = await openRoot();
  const log = root.attachThread('test-thread');
  await withWorkers(async workers => {
    const data: ThreadLogWorkerData = { log, ending: 'throw', lines: 3 };
    await workers.run(workerFile, data).then(
      () => assert.unreachable('it throws'),
      error => assert.is(error.message, 'died right after logging'),
    );
  });
  root.detachThread(log);
  assert.is(lines().length, 3);
  await root.close();
  assert.is(lines().length, 3);
});

logger('drops lines rather than block, and says how many', async () => {
  const { root, lines } = await openRoot();
  const thread = createThreadLogger(root.attachThread('room', 1024), 'info', 'room');
  for (let line = 0; line < 100; line++) thread.info({ line }, 'flood');
  root.drainThreadLogs();
  const kept = lines().filter(line => line.msg === 'flood');
  const notes = lines().filter(line => line.linesDropped !== undefined);
  assert.ok(kept.length > 0 && kept.length < 100);
  assert.equal(
    kept.map(line => line.line),
    kept.map((_, index) => index),
    'the oldest are kept',
  );
  assert.equal(
    notes.map(line => [line.name, line.linesDropped]),
    [['room', 100 - kept.length]],
  );
  thread.info({}, 'there is room again');
  await root.close();
  assert.is(lines().at(-1)!.msg, 'there is room again');
});

logger('cuts a line that is larger than the ring', async () => {
  const { root, lines } = await openRoot();
  const thread = createThreadLogger(root.attachThread('room', 2048), 'info', 'room');
  thread.info({ payload: 'x'.repeat(5000) }, 'm'.repeat(5000));
  await root.close();
  const [line] = lines();
  assert.match(line!.msg, /^m{100,}$/);
  assert.ok((line!.lineBytesCut as number) > 10_000);
});

logger('writes fields that JSON cannot', async () => {
  const { root, lines } = await openRoot();
  const thread = createThreadLogger(root.attachThread('room'), 'info', 'room');
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  thread.error({ offset: 12n, err: new Error('outer', { cause: new Error('inner') }) }, 'one');
  thread.error(circular, 'two');
  thread.error(new Error('bare'), 'three');
  thread.info({ level: 'mine', msg: 'mine' }, 'four');
  await root.close();
  const [one, two, three, four] = lines();
  assert.is(one!.offset, '12');
  assert.is((one!.err as { cause: { message: string } }).cause.message, 'inner');
  assert.is(two!.fieldsLost, true);
  assert.is((three!.err as { message: string }).message, 'bare');
  assert.equal([four!.level, four!.msg], [30, 'four']);
});

logger.run();
