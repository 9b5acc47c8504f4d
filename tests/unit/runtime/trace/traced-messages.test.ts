/** Which messages are traced: found where they stand, forgotten when newer ones need the place. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TracedMessages } from '../../../../runtime/trace/traced-messages.js';

const traced = suite('runtime/trace/traced-messages');

traced('a message is found by its place alone, by everybody who has the memory', () => {
  const messages = new TracedMessages();
  const reader = new TracedMessages(messages.memory);
  assert.is(reader.find(0), 0, 'the first place of a log, before anything is traced');
  messages.put(0, 5);
  messages.put(5_000_000_000_000, 6);
  assert.is(reader.find(0), 5);
  assert.is(reader.find(5_000_000_000_000), 6);
  assert.is(reader.find(1), 0);
});

traced('the newest are kept, and never under the id of another', () => {
  const messages = new TracedMessages();
  const count = 100_000;
  const recordSize = 237;
  for (let index = 1; index <= count; index++) messages.put(index * recordSize, index);
  let kept = 0;
  for (let index = 1; index <= count; index++) {
    const traceId = messages.find(index * recordSize);
    assert.ok(traceId === 0 || traceId === index, `${index} is found as ${traceId}`);
    if (index > count - 1000 && traceId !== 0) kept++;
  }
  assert.ok(kept > 900, `${kept} of the newest 1,000 are kept`);
});

traced.run();
