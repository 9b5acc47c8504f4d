/** Flags, exit codes and what the three programs say, without starting a node. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerSchema, namesrvSchema } from '../../../config/index.js';
import { runProgram, withFile } from './support.js';

const programs = suite('programs');

for (const program of ['mqbroker', 'mqnamesrv', 'ringmq'] as const) {
  for (const flag of ['-h', '--help']) {
    programs(`${program} ${flag} prints its use and ends with 0`, async () => {
      const { code, out, err } = await runProgram(program, [flag]);
      assert.is(code, 0);
      assert.match(out, `Usage: ${program}`);
      assert.is(err, '');
    });
  }

  programs(`${program} refuses an unknown option with 1 and says how it is used`, async () => {
    const { code, out, err } = await runProgram(program, ['--bogus']);
    assert.is(code, 1);
    assert.match(err, /unknown option '--bogus'/);
    assert.match(err, program === 'ringmq' ? /ringmq help COMMAND/ : /Usage: /);
    assert.is(out, '');
  });
}

const keysOf = (text: string): string[] => text.split('\n').map(line => line.slice(0, line.indexOf('=')));

for (const flag of ['-p', '--printConfigItem']) {
  programs(`mqbroker ${flag} prints every key with its value in effect`, async () => {
    await withFile('fileReservedTime=120\nnamesrvAddr=10.0.0.9:9876\n', async file => {
      const { code, out } = await runProgram('mqbroker', ['-n', '10.0.0.1:9876', '-c', file, flag]);
      assert.is(code, 0);
      assert.equal(
        keysOf(out),
        brokerSchema.rows.map(({ name }) => name),
      );
      assert.match(out, /^fileReservedTime=120$/m);
      assert.match(out, /^namesrvAddr=10\.0\.0\.1:9876$/m, 'the flag is stronger than the file');
    });
  });
}

programs('mqbroker -m prints the important keys only', async () => {
  const { code, out } = await runProgram('mqbroker', ['-m']);
  assert.is(code, 0);
  const important = brokerSchema.rows.filter(({ key }) => key.important).map(({ name }) => name);
  assert.equal(keysOf(out), important);
});

programs('mqnamesrv -p prints every key; -c makes the file the place of changes', async () => {
  await withFile('listenPort=19876\n', async file => {
    const { code, out } = await runProgram('mqnamesrv', ['-c', file, '-p']);
    assert.is(code, 0);
    assert.equal(
      keysOf(out),
      namesrvSchema.rows.map(({ name }) => name),
    );
    assert.match(out, /^listenPort=19876$/m);
    assert.ok(out.split('\n').includes(`configStorePath=${file}`));
  });
});

programs('mqnamesrv knows no -m, and takes -n without effect', async () => {
  const unknown = await runProgram('mqnamesrv', ['-m']);
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /unknown option '-m'/);
  const named = await runProgram('mqnamesrv', ['-n', '10.0.0.1:9876', '-p']);
  assert.is(named.code, 0);
  assert.match(named.err, /-n has no effect/);
});

programs('NAMESRV_ADDR counts unless flag or file say otherwise', async () => {
  const env = { NAMESRV_ADDR: '10.0.0.7:9876' };
  const alone = await runProgram('mqbroker', ['-p'], env);
  assert.match(alone.out, /^namesrvAddr=10\.0\.0\.7:9876$/m);
  const flagged = await runProgram('mqbroker', ['-p', '-n', '10.0.0.1:9876'], env);
  assert.match(flagged.out, /^namesrvAddr=10\.0\.0\.1:9876$/m);
});

programs('--set is stronger than the file, can be repeated, and its value may hold an equals sign', async () => {
  await withFile('fileReservedTime=120\n', async file => {
    const set = ['--set', 'fileReservedTime=48', '--set', 'logDir=a=b', '--set', 'listenPort=20911'];
    const { code, out } = await runProgram('mqbroker', ['-c', file, ...set, '-p']);
    assert.is(code, 0);
    for (const line of ['fileReservedTime=48', 'logDir=a=b', 'listenPort=20911'])
      assert.ok(out.split('\n').includes(line));
  });
});

programs('words that belong to no flag are ignored with a warning', async () => {
  const { code, err } = await runProgram('mqbroker', ['-m', 'autoCreateTopicEnable=true', 'word']);
  assert.is(code, 0);
  assert.match(err, /autoCreateTopicEnable=true is ignored.*write --set autoCreateTopicEnable=true/);
  assert.match(err, /mqbroker: word is ignored/);
});

interface Refusal {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: readonly RegExp[];
}

const refusals: Readonly<Record<string, Refusal>> = {
  'a missing file': { args: ['-c', '/nowhere.properties'], code: 255, says: [/nowhere\.properties: .*no such file/] },
  'a folder as the file': { args: ['-c', '/'], code: 255, says: [/it is a folder/] },
  'a bad name server': { args: ['-n', 'nonsense'], code: 253, says: [/namesrvAddr=nonsense: must be host:port/] },
  'a name server without port': { args: ['-n', '10.0.0.1'], code: 253, says: [/namesrvAddr=10\.0\.0\.1/] },
  'a slave that has the id of a master': {
    args: ['--set', 'brokerRole=SLAVE'],
    code: 253,
    says: [/brokerId=0: must be greater than 0 for brokerRole=SLAVE/],
  },
  '--set without a value': { args: ['--set', 'listenPort'], code: 1, says: [/Expected key=value/, /Usage: mqbroker/] },
  '--set of a mistyped key': {
    args: ['--set', 'listenPrt=1'],
    code: 1,
    says: [/listenPrt=1: is not a known key; did you mean listenPort\?/],
  },
  '--set of a bad value': { args: ['--set', 'flushDiskType=NEVER'], code: 1, says: [/one of ASYNC_FLUSH, SYNC_FLUSH/] },
  'a flag without its value': { args: ['-c'], code: 1, says: [/argument missing/] },
};

for (const [name, { args, code, says }] of Object.entries(refusals)) {
  programs(`mqbroker refuses ${name} with ${code}`, async () => {
    const outcome = await runProgram('mqbroker', args);
    assert.is(outcome.code, code, outcome.err);
    assert.is(outcome.out, '');
    for (const pattern of says) assert.match(outcome.err, pattern);
  });
}

programs('every bad value of a file is told at once, with its line', async () => {
  await withFile('brokerName=a\nflushDiskType=SYNC\nfileReservedTime=4d\n\nmaxMessageSize=-1\n', async file => {
    const { code, err } = await runProgram('mqbroker', ['-c', file]);
    assert.is(code, 255);
    assert.match(err, '3 values cannot be used');
    for (const [line, key] of [
      ['2', 'flushDiskType=SYNC'],
      ['3', 'fileReservedTime=4d'],
      ['5', 'maxMessageSize=-1'],
    ]) {
      assert.match(err, `${file}:${line}: ${key}: must be`);
    }
    assert.match(err, 'ringmq config flushDiskType fileReservedTime maxMessageSize');
  });
});

programs('remarks on a file are one block', async () => {
  await withFile('mapedFileSizeCommitLog=1073741824\nbrokerNam=x\n', async file => {
    const { code, err } = await runProgram('mqbroker', ['-c', file, '-m']);
    assert.is(code, 0);
    const lines = err.split('\n');
    assert.is(lines[0], 'mqbroker: 2 remarks on the configuration');
    assert.match(lines[1] ?? '', `${file}:1: mapedFileSizeCommitLog=1073741824: is another spelling`);
    assert.match(lines[2] ?? '', `${file}:2: brokerNam=x: is not a known key; did you mean brokerName?`);
    assert.is(lines.length, 3);
  });
});

programs('a file in ISO-8859-1, as Java reads them, is understood', async () => {
  await withFile('', async file => {
    const fs = await import('node:fs');
    fs.writeFileSync(file, Buffer.from('brokerName=caf\xe9\n', 'latin1'));
    const { out } = await runProgram('mqbroker', ['-c', file, '-m']);
    assert.match(out, /^brokerName=café$/m);
  });
});

programs('ringmq suggests a command that sounds alike, at every depth', async () => {
  assert.match((await runProgram('ringmq', ['strat'])).err, /Did you mean start\?/);
  const { code, err } = await runProgram('ringmq', ['topic', 'creat']);
  assert.is(code, 1);
  assert.match(err, /Did you mean create\?/);
  assert.match(err, /`ringmq topic --help` says how it is used/);
});

programs('ringmq start names the presets when there is no such thing', async () => {
  const { code, err } = await runProgram('ringmq', ['start', 'standalon']);
  assert.is(code, 255);
  assert.match(err, /no preset and no file named standalon/);
  assert.match(err, /Did you mean standalone\?/);
  assert.match(err, /2m-2s-sync\/broker-a/);
});

programs('a cluster that is not there: which address, and what to do', async () => {
  const { code, err } = await runProgram('ringmq', ['topic', 'list', '-n', '127.0.0.1:1']);
  assert.is(code, 1);
  assert.match(err, /cannot connect to 127\.0\.0\.1:1/);
  assert.match(err, /`ringmq start` starts a node/);
});

programs('ringmq --version is that of the package', async () => {
  const { code, out } = await runProgram('ringmq', ['--version']);
  assert.is(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+/);
});

programs.run();
