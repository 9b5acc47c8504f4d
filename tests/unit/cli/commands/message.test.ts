/** Messages against a running node: by id, by key, by time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestNode } from '../support.js';

const messages = suite('ringmq message against a node');
let node: TestNode;

interface Found {
  readonly msgId: string;
  readonly offsetMsgId: string;
  readonly storeTimestamp: number;
  readonly body: string;
}

/** What a command finds; nothing while it finds none. */
async function found(...args: string[]): Promise<Found[]> {
  const { code, out } = await node.ringmq('message', ...args, '--json');
  return code === 0 ? (JSON.parse(out) as Found[]) : [];
}

let all: Found[];

messages.before(async () => {
  node = await TestNode.start();
  await node.until(({ out }) => out.includes('broker-a'), 'cluster', 'list');
  assert.is((await node.ringmq('topic', 'create', 'Letters', '-q', '2')).code, 0);
  for (const [body, tag, keys] of [
    ['first', 'a', 'one odd'],
    ['second', 'b', 'two'],
    ['third', 'a', 'three odd'],
  ] as const) {
    // So that each has a time of its own.
    const { storeTimestamp = 0 } = (await found('list', 'Letters')).at(-1) ?? {};
    while (Date.now() <= storeTimestamp) await new Promise(resolve => setTimeout(resolve, 1));
    assert.is((await node.ringmq('send', 'Letters', body, '--tags', tag, '--keys', keys)).code, 0);
    await node.until(({ out }) => out.includes(body), 'pull', 'Letters');
  }
  all = await found('list', 'Letters');
});

messages.after(() => node.stop());

messages('list shows what was stored between two times, by tags, and says when there is more', async () => {
  assert.equal(
    all.map(({ body }) => body),
    ['first', 'second', 'third'],
  );
  const bodies = async (...args: string[]) => (await found('list', 'Letters', ...args)).map(({ body }) => body);
  const [first, second, third] = all.map(({ storeTimestamp }) => String(storeTimestamp));
  assert.equal(await bodies('--from', second!), ['second', 'third']);
  assert.equal(await bodies('--from', first!, '--to', third!), ['first', 'second'], 'the end is left out');
  assert.equal(await bodies('--from', '-1h', '--tags', 'a'), ['first', 'third']);
  assert.equal(await bodies('--to', '-1h'), []);
  const one = await node.ringmq('message', 'list', 'Letters', '--max', '1');
  assert.match(one.out, /^\d{4}-\S+Z +\S+ +[01] +\d +[0-9A-F]{32} +a +one odd +\d+$/m);
  assert.match(one.err, /1 messages; there are more/);
  assert.is((await node.ringmq('message', 'list', 'Nothing')).code, 1);
  assert.match((await node.ringmq('message', 'list', 'Letters', '--from', 'soon')).err, /Expected a time/);
});

messages('pull begins at a time too', async () => {
  const { out } = await node.ringmq('pull', 'Letters', '--from', new Date(all[1]!.storeTimestamp).toISOString());
  assert.equal(
    out.split('\n').map(line => line.split('] ')[1]),
    ['second', 'third'],
  );
});

messages('find looks for a key or a unique id', async () => {
  const find = (...args: string[]) => ['message', 'find', '--topic', 'Letters', ...args];
  await node.until(({ out }) => out.includes('three odd'), ...find('--key', 'three'));
  const odd = await found('find', '-t', 'Letters', '-k', 'odd');
  assert.equal(
    odd.map(({ body }) => body),
    ['first', 'third'],
  );
  const unique = await found('find', '-t', 'Letters', '--unique', all[1]!.msgId);
  assert.equal(
    unique.map(({ body }) => body),
    ['second'],
  );
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [find('--key', 'four'), /no message of Letters has the key four/],
    [find('--unique', 'F'.repeat(32)), /no message of Letters has the unique id F/],
    [find(), /Give --key KEY or --unique ID/],
    [find('--key', 'a', '--unique', 'b'), /cannot be used with option/],
    [['message', 'find', '--key', 'a'], /required option '-t, --topic/],
  ];
  for (const [args, says] of refusals) {
    const { code, err } = await node.ringmq(...args);
    assert.is(code, 1);
    assert.match(err, says);
  }
});

messages('show has everything about one, and which groups are past it', async () => {
  const { msgId, offsetMsgId } = all[2]!;
  await node.ringmq('group', 'create', 'reader');
  const shown = () => node.ringmq('message', 'show', offsetMsgId);
  assert.is((await node.ringmq('group', 'reset', 'reader', 'Letters', '--to', 'latest')).code, 0);
  const { code, out } = await shown();
  assert.is(code, 0);
  for (const line of [/^topic +Letters$/m, /^keys +three odd$/m, /^TAGS +a$/m, /^reader +consumed$/m, /\nthird$/])
    assert.match(out, line);
  await node.ringmq('group', 'reset', 'reader', 'Letters', '--to', 'earliest');
  assert.match((await shown()).out, /^reader +not yet$/m);

  const byUnique = await node.ringmq('message', 'show', msgId, '--topic', 'Letters', '--json');
  assert.is((JSON.parse(byUnique.out) as Found).offsetMsgId, offsetMsgId);
  const stray = await node.ringmq('message', 'show', msgId);
  assert.is(stray.code, 1);
  assert.match(stray.err, /no offset message id of a broker here\n.*--topic/);
  assert.match((await node.ringmq('message', 'show', 'abc')).err, /is no offset message id/);
  const past = `${offsetMsgId.slice(0, 16)}${'7'.padStart(16, '0')}`;
  assert.match((await node.ringmq('message', 'show', past)).err, /has no message/);
});

messages.run();
