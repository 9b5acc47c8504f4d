import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, SerializeType } from '../../../protocol/codes.js';
import { HeaderView } from '../../../protocol/header-view.js';
import { FieldIndex } from '../../../protocol/headers/field-index.js';
import { createPullMessageIndex, PullMessageSlot, pullMessageFields } from '../../../protocol/headers/pull-message.js';
import { SendMessageIndex, SendMessageSlot, sendMessageFields } from '../../../protocol/headers/send-message.js';
import { AssertionError } from '../../../runtime/base/assert.js';

const index = suite('protocol/headers');

/** A header with these ext fields, in this order; equal names are allowed. */
function viewOf(fields: readonly (readonly [string, string])[], code = 0): HeaderView {
  const ext = fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const bytes = Buffer.from(`{"code":${code},"extFields":{${ext}}}`);
  const view = new HeaderView();
  assert.ok(view.read(bytes, 0, bytes.length, SerializeType.JSON));
  return view;
}

index('finds each field, whatever the order', () => {
  const fields = new FieldIndex(['topic', 'queueId', 'missing']);
  const view = viewOf([
    ['other', 'x'],
    ['queueId', '3'],
    ['topic', 'T'],
  ]);
  fields.read(view);
  assert.equal([...fields.slots], [2, 1, -1]);
  assert.is(view.integer(fields.slots[1]!), 3);
  fields.read(viewOf([['missing', '1']]));
  assert.equal([...fields.slots], [-1, -1, 0], 'nothing is left of the header before');
});

index('the last of two equal names counts', () => {
  const fields = new FieldIndex(['a']);
  fields.read(
    viewOf([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ]),
  );
  assert.is(fields.slots[0], 2);
});

index('names that only look alike are others', () => {
  const fields = new FieldIndex(['topic']);
  for (const name of ['Topic', 'topix', 'tupic', '\u0094opic', 'topic ', 'topi', '', 't'.repeat(200)]) {
    fields.read(viewOf([[name, '1']]));
    assert.is(fields.slots[0], -1, name);
  }
});

index('names that length and first letter do not tell apart are a mistake', () => {
  assert.throws(
    () => new FieldIndex(['flag', 'fast']),
    (error: unknown) => error instanceof AssertionError,
  );
});

index('a send is read by long names and by letters', () => {
  const values = sendMessageFields.map((name, slot) => [name, String(slot)] as const);
  const letters = sendMessageFields.map((_, slot) => [String.fromCharCode(97 + slot), String(slot)] as const);
  const send = new SendMessageIndex();
  for (const [code, fields] of [
    [RequestCode.SEND_MESSAGE, values],
    [RequestCode.SEND_MESSAGE_V2, letters],
    [RequestCode.SEND_BATCH_MESSAGE, letters],
  ] as const) {
    const view = viewOf(fields, code);
    send.read(view, code);
    for (const name of sendMessageFields) {
      assert.is(view.string(send.slots[SendMessageSlot[name]]!), String(SendMessageSlot[name]), `${code} ${name}`);
    }
  }
});

/** Source: spec remoting 5.1. */
index('the letters of V2 stand for what the specification says', () => {
  const spec =
    'a producerGroup b topic c defaultTopic d defaultTopicQueueNums e queueId f sysFlag g bornTimestamp h flag';
  const rest = 'i properties j reconsumeTimes k unitMode l maxReconsumeTimes m batch';
  const words = `${spec} ${rest}`.split(' ');
  for (let at = 0; at < words.length; at += 2) {
    const slot = words[at]!.charCodeAt(0) - 97;
    assert.is(sendMessageFields[slot], words[at + 1]);
  }
  assert.is(sendMessageFields.length, words.length / 2);
});

index('a pull is read', () => {
  const pull = createPullMessageIndex();
  const view = viewOf(pullMessageFields.map(name => [name, name]));
  pull.read(view);
  for (const name of pullMessageFields) assert.is(view.string(pull.slots[PullMessageSlot[name]]!), name);
});

index('reads the binary header as well', () => {
  const entry = (key: string, value: string): Buffer => {
    const bytes = Buffer.alloc(6 + key.length + value.length);
    bytes.writeInt16BE(key.length, 0);
    bytes.write(key, 2);
    bytes.writeInt32BE(value.length, 2 + key.length);
    bytes.write(value, 6 + key.length);
    return bytes;
  };
  const ext = Buffer.concat([entry('queueId', '7'), entry('topic', 'T')]);
  const header = Buffer.concat([Buffer.alloc(21), ext]);
  header.writeInt32BE(ext.length, 17);
  const view = new HeaderView();
  assert.ok(view.read(header, 0, header.length, SerializeType.ROCKETMQ));
  const fields = new FieldIndex(['topic', 'queueId']);
  fields.read(view);
  assert.equal([view.string(fields.slots[0]!), view.integer(fields.slots[1]!)], ['T', 7]);
});

index.run();
