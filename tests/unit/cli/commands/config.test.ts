/** The reference, the check of a file and the drawing of the wiring. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { actorKinds, drawWiring, ringTable } from '../../../../actors/node/wiring.js';
import { brokerSchema, namesrvSchema, presetNames, renderReference } from '../../../../config/index.js';
import { runProgram, withFile } from '../support.js';

const config = suite('config, check, wiring');

config('ringmq config lists every key once', async () => {
  const { code, out } = await runProgram('ringmq', ['config', '--json']);
  assert.is(code, 0);
  const names = (JSON.parse(out) as { name: string }[]).map(({ name }) => name);
  assert.equal([...names].sort(), [...new Set([...brokerSchema.byName.keys(), ...namesrvSchema.byName.keys()])].sort());
  const text = (await runProgram('ringmq', ['config'])).out;
  for (const name of names) assert.ok(new RegExp(`^${name} `, 'm').test(text), name);
});

config('ringmq config KEY explains it, also by another spelling', async () => {
  const { code, out } = await runProgram('ringmq', ['config', 'mapedFileSizeCommitLog', '--key', 'flushDiskType']);
  assert.is(code, 0);
  assert.match(out, /^mappedFileSizeCommitLog$/m);
  assert.match(out, /default +1073741824$/m);
  assert.match(out, /also written +mapedFileSizeCommitLog/);
  assert.match(out, /allowed +one of ASYNC_FLUSH, SYNC_FLUSH/);
});

config('ringmq config suggests the key that was meant', async () => {
  const { code, err } = await runProgram('ringmq', ['config', 'flushDiskTyp']);
  assert.is(code, 1);
  assert.match(err, /Did you mean flushDiskType\?/);
});

config('ringmq config --markdown is the page of docs/', async () => {
  assert.is((await runProgram('ringmq', ['config', '--markdown'])).out, renderReference().trimEnd());
});

for (const preset of presetNames) {
  const isSlave = preset.endsWith('-s');
  config(`ringmq check ${preset}: ready${isSlave ? ', once it is told of a name server' : ''}`, async () => {
    const { code, out, err } = await runProgram('ringmq', ['check', preset]);
    assert.is(code, 0, err);
    assert.match(out, /ready: /);
    assert.is(/remark: brokerRole=SLAVE without namesrvAddr/.test(out), isSlave);
  });
}

config('ringmq check says what each key does, and why some do nothing', async () => {
  const text = 'fileReservedTime=48\nhighSpeedMode=true\nbrokerNam=x\nmapedFileSizeConsumeQueue=300000\n';
  await withFile(text, async file => {
    const { code, out } = await runProgram('ringmq', ['check', file]);
    assert.is(code, 0);
    assert.match(out, /^fileReservedTime=48 +age at which a file expires/m);
    assert.match(out, /^highSpeedMode=true +has no effect: /m);
    assert.match(out, /^brokerNam=x +nothing: it is not a known key/m);
    assert.match(out, /did you mean brokerName\?/);
    assert.match(out, /another spelling of mappedFileSizeConsumeQueue/);
    assert.match(out, /4 keys, 2 of them without effect$/);
  });
});

config('ringmq check of a bad file fails, also as JSON', async () => {
  await withFile('flushDiskType=SYNC\n', async file => {
    const { code, err } = await runProgram('ringmq', ['check', file]);
    assert.is(code, 255);
    assert.match(err, `${file}:1: flushDiskType=SYNC: must be one of`);
    const asJson = await runProgram('ringmq', ['check', file, '--json']);
    assert.is(asJson.code, 255);
    const { ok, issues } = JSON.parse(asJson.out) as { ok: boolean; issues: { key: string; line: number }[] };
    assert.is(ok, false);
    assert.equal(
      issues.map(({ key, line }) => [key, line]),
      [['flushDiskType', 1]],
    );
  });
});

config('ringmq wiring shows every actor and ring, as tables and as a drawing', async () => {
  const { out } = await runProgram('ringmq', ['wiring']);
  for (const kind of Object.keys(actorKinds)) assert.ok(new RegExp(`^${kind} `, 'm').test(out), kind);
  for (const { from, to } of ringTable) assert.ok(new RegExp(`^${from} +${to} `, 'm').test(out), `${from} to ${to}`);
  assert.is((await runProgram('ringmq', ['wiring', '--mermaid'])).out, drawWiring().trimEnd());
});

config.run();
