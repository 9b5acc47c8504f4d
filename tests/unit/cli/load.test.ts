/** Which file is whose, and how warnings are told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isForNamesrv, loadBroker, reportWarnings } from '../../../cli/load.js';
import { brokerSchema } from '../../../config/index.js';
import { TestShell, withFile } from './support.js';

const load = suite('load');

const kinds: readonly [name: string, text: string, forNamesrv: boolean][] = [
  ['namesrv.properties', 'listenPort=9876\n', true],
  ['a-namesrv-of-mine.conf', '', true],
  ['ns.properties', 'listenPort=9876\nkvConfigPath=kv.json\n', true],
  ['ns.properties', 'listenPort=9876\n', false],
  ['broker.properties', 'brokerName=a\n', false],
  ['both.properties', 'brokerName=a\nkvConfigPath=kv.json\n', false],
];

for (const [name, text, expected] of kinds) {
  load(`${name} with ${JSON.stringify(text)} is a ${expected ? 'name server' : 'broker'}'s`, () =>
    withFile(text, file => assert.is(isForNamesrv(file), expected), name),
  );
}

/** Keys that are accepted and do nothing, with values that are allowed. */
const idleKeys = brokerSchema.rows
  .filter(({ key }) => key.effect !== 'active' && 'none' in key.effect && key.type === 'boolean')
  .map(({ name }) => `${name}=true`);

load('a few keys without effect are told one by one', async () => {
  const some = idleKeys.slice(0, 3);
  await withFile(some.join('\n'), file => {
    const shell = new TestShell();
    reportWarnings(shell, 'mqbroker', loadBroker({ file }));
    for (const setting of some) assert.match(shell.errText, `${setting}: has no effect: `);
  });
});

load('many of them are summed up, and other remarks are not', async () => {
  assert.ok(idleKeys.length > 8, 'there are enough of them');
  await withFile(`${idleKeys.join('\n')}\nbrokerNam=x\n`, file => {
    const shell = new TestShell();
    reportWarnings(shell, 'mqbroker', loadBroker({ file }));
    assert.match(
      shell.errText,
      `${idleKeys.length} keys have no effect here; \`ringmq check ${file}\` gives the reasons`,
    );
    for (const setting of idleKeys) assert.match(shell.errText, setting.replace('=true', ''));
    assert.match(shell.errText, 'brokerNam=x: is not a known key');
    assert.ok(shell.errText.split('\n').length < idleKeys.length, 'it is shorter than one line a key');
    for (const line of shell.errText.split('\n')) assert.ok(line.length <= 120 || line.includes(file), line);
  });
});

load('nothing to remark is nothing to say', async () => {
  await withFile('brokerName=a\n', file => {
    const shell = new TestShell();
    reportWarnings(shell, 'mqbroker', loadBroker({ file }));
    assert.is(shell.errText, '');
  });
});

load.run();
