import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingError } from '../../../runtime/base/errors.js';
import { nodeDisk } from '../../../storage/disk.js';
import { storePaths } from '../../../storage/paths.js';
import { findLockHolder, nodeProcessProbe } from '../../../storage/process-probe.js';
import {
  acquireStoreLock,
  createAbortFile,
  hasAbortFile,
  type ProcessProbe,
  removeAbortFile,
  type StoreLock,
} from '../../../storage/store-lock.js';

const locks = suite('storage/store-lock');

let root = '';
locks.before.each(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-'));
});
locks.after.each(() => fs.rmSync(root, { recursive: true, force: true }));

/** A machine with processes to our liking; files are real. */
function probeOf(pid: number, alive: Map<number, string>, more: Partial<ProcessProbe> = {}): ProcessProbe {
  return {
    pid,
    isAlive: asked => alive.has(asked),
    startTime: asked => alive.get(asked),
    lockedByOther: () => undefined,
    createExclusive: nodeProcessProbe.createExclusive,
    ...more,
  };
}

const acquire = (probe: ProcessProbe): StoreLock => acquireStoreLock(nodeDisk, probe, storePaths(root));
const isRefusal = (error: unknown): boolean => error instanceof RingError && error.code === 'STORE_LOCKED';
const filesLeft = (): string[] => fs.readdirSync(root).sort();

locks('one owner at a time, and the next after it let go', () => {
  const alive = new Map([
    [10, 'a'],
    [11, 'b'],
  ]);
  const lock = acquire(probeOf(10, alive));
  assert.is(fs.readFileSync(path.join(root, 'lock'), 'utf8'), 'lock');
  assert.throws(
    () => acquire(probeOf(11, alive)),
    (error: RingError) => {
      assert.match(error.message, root);
      assert.match(error.message, 'process 10');
      assert.match(error.message, 'storePathRootDir');
      return isRefusal(error) && error.facts.pid === 10;
    },
  );
  assert.throws(
    () => acquire(probeOf(10, alive)),
    (error: RingError) => /this very process/.test(error.message),
  );
  lock.release();
  lock.release();
  assert.equal(filesLeft(), ['lock']);
  const second = acquire(probeOf(11, alive));
  lock.release();
  assert.throws(() => acquire(probeOf(10, alive)), isRefusal);
  second.release();
});

locks('an owner that died, or whose pid another process has now, is succeeded', () => {
  const alive = new Map([
    [10, 'a'],
    [11, 'b'],
  ]);
  acquire(probeOf(10, alive));
  alive.set(10, 'later');
  acquire(probeOf(11, alive));
  alive.delete(11);
  acquire(probeOf(10, alive)).release();
  assert.equal(filesLeft(), ['lock']);
});

locks('without start times the pid decides', () => {
  const alive = new Map([[10, 'a']]);
  const unknown = { startTime: () => undefined };
  acquire(probeOf(10, alive, unknown));
  assert.throws(() => acquire(probeOf(11, alive)), isRefusal);
  alive.delete(10);
  acquire(probeOf(11, alive, unknown));
});

locks('a pid file nobody can read is replaced', () => {
  for (const text of ['', 'garbage', '12', '99 x']) {
    fs.writeFileSync(path.join(root, 'lock.pid'), text);
    acquire(probeOf(10, new Map([[10, 'a']]))).release();
    assert.equal(filesLeft(), ['lock']);
  }
});

locks('of two that find the same dead owner only one succeeds, wherever they meet', () => {
  // The second process is stopped at its n-th question; the first takes over as a whole at that moment.
  let met = 0;
  for (let stopAt = 0; stopAt < 12; stopAt++) {
    fs.rmSync(root, { recursive: true });
    const alive = new Map([
      [10, 'a'],
      [11, 'b'],
    ]);
    acquire(probeOf(9, new Map([[9, 'dead']])));
    let question = 0;
    let firstOwns = false;
    const meet = (): void => {
      if (question++ !== stopAt) return;
      met++;
      try {
        acquire(probeOf(10, alive));
        firstOwns = true;
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    };
    const interrupted = probeOf(11, alive, {
      isAlive: pid => {
        meet();
        const answer = alive.has(pid);
        meet();
        return answer;
      },
      createExclusive: (file, text) => {
        meet();
        const answer = nodeProcessProbe.createExclusive(file, text);
        meet();
        return answer;
      },
    });
    let secondOwns = false;
    try {
      acquire(interrupted);
      secondOwns = true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    assert.is(Number(firstOwns) + Number(secondOwns), 1, `stopped at question ${stopAt}`);
  }
  assert.ok(met >= 5, `met ${met} times`);
});

locks('who dies while taking over is succeeded too', () => {
  const alive = new Map([[12, 'c']]);
  acquire(probeOf(9, new Map([[9, 'dead']])));
  for (const pid of [10, 11]) {
    // Dies right after it made its claim.
    const dying = probeOf(pid, new Map([[pid, 'dying']]), {
      createExclusive: (file, text) => {
        const made = nodeProcessProbe.createExclusive(file, text);
        if (made) throw new Error('killed');
        return made;
      },
    });
    assert.throws(() => acquire(dying), /killed/);
  }
  assert.is(filesLeft().length, 4);
  const lock = acquire(probeOf(12, alive));
  assert.equal(filesLeft(), ['lock', 'lock.pid']);
  lock.release();
});

locks('a Java broker that holds its lock is respected', () => {
  const probe = probeOf(10, new Map([[10, 'a']]), { lockedByOther: () => 4711 });
  acquire(probe).release();
  assert.equal(filesLeft(), ['lock'], 'nobody had a lock on a file that was not there');
  assert.throws(
    () => acquire(probe),
    (error: RingError) => isRefusal(error) && /4711.*Java/.test(error.message),
  );
  assert.equal(filesLeft(), ['lock']);
});

locks('finds the holder in /proc/locks', () => {
  const text = [
    '1: POSIX  ADVISORY  READ  100 08:01:77 128 128',
    '2: FLOCK  ADVISORY  WRITE 101 08:01:77 0 EOF',
    '3: POSIX  ADVISORY  WRITE 102 08:01:78 0 0',
    '4: POSIX  ADVISORY  WRITE 103 08:01:77 0 0',
    '4: -> POSIX  ADVISORY  WRITE 104 08:01:77 0 0',
  ].join('\n');
  assert.is(findLockHolder(text, '08:01:77', 1), 103);
  assert.is(findLockHolder(text, '08:01:77', 103), undefined);
  assert.is(findLockHolder('', '08:01:77', 1), undefined);
});

locks('the real probe knows this process and a dead one', async () => {
  assert.ok(nodeProcessProbe.isAlive(process.pid));
  assert.is(nodeProcessProbe.startTime(process.pid), nodeProcessProbe.startTime(process.pid));
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise(resolve => child.once('exit', resolve));
  assert.not(nodeProcessProbe.isAlive(child.pid!));
  fs.writeFileSync(path.join(root, 'lock'), 'lock');
  assert.is(nodeProcessProbe.lockedByOther(path.join(root, 'lock')), undefined);
});

locks('of several real processes that start at once one owns the store, and its death frees it', async () => {
  const script = `
    import { acquireStoreLock } from ${JSON.stringify(new URL('../../../storage/store-lock.js', import.meta.url).href)};
    import { nodeProcessProbe } from ${JSON.stringify(new URL('../../../storage/process-probe.js', import.meta.url).href)};
    import { nodeDisk } from ${JSON.stringify(new URL('../../../storage/disk.js', import.meta.url).href)};
    import { storePaths } from ${JSON.stringify(new URL('../../../storage/paths.js', import.meta.url).href)};
    try {
      acquireStoreLock(nodeDisk, nodeProcessProbe, storePaths(${JSON.stringify(root)}));
      console.log('owner');
    } catch (error) {
      console.log(error.code);
    }
    process.stdin.resume().on('end', () => process.exit());
  `;
  for (let round = 0; round < 2; round++) {
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    try {
      const answers = await Promise.all(
        children.map(
          child => new Promise<string>(resolve => child.stdout.once('data', data => resolve(String(data).trim()))),
        ),
      );
      assert.equal(answers.sort(), ['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'owner']);
    } finally {
      // Killed, not stopped: the second round finds what the dead owner left.
      await Promise.all(
        children.map(
          child =>
            new Promise(resolve => {
              child.once('exit', resolve);
              child.kill('SIGKILL');
            }),
        ),
      );
    }
  }
});

locks('the abort file', () => {
  const paths = storePaths(root);
  assert.not(hasAbortFile(nodeDisk, paths));
  createAbortFile(nodeDisk, paths, 42);
  assert.ok(hasAbortFile(nodeDisk, paths));
  assert.is(fs.readFileSync(paths.abort, 'utf8'), '42');
  removeAbortFile(nodeDisk, paths);
  assert.not(hasAbortFile(nodeDisk, paths));
});

locks.run();
