import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaHashText } from '../../../protocol/message-record.js';
import { PropertyRanges } from '../../../protocol/property-ranges.js';

const ranges = suite('protocol/property-ranges');

const one = new PropertyRanges();

/** What is found in a property string that stands between others; \u0001 is written `=`, \u0002 `;`. */
function find(text: string): { tags: string; keys: string; uniqueKey: string } {
  const before = Buffer.from('KEYS\u0001no\u0002');
  const inside = Buffer.from(text.replaceAll('=', '\u0001').replaceAll(';', '\u0002'));
  const bytes = Buffer.concat([before, inside, Buffer.from('x\u0002TAGS\u0001no')]);
  one.find(bytes, before.length, before.length + inside.length);
  const tags = bytes.toString('utf8', one.tagsStart, one.tagsEnd);
  assert.is(one.tagsCode(bytes), javaHashText(tags.replaceAll('=', '\u0001')), text);
  return {
    tags,
    keys: bytes.toString('utf8', one.keysStart, one.keysEnd),
    uniqueKey: bytes.toString('utf8', one.uniqueKeyStart, one.uniqueKeyEnd),
  };
}

ranges('finds tags, keys and unique key in any order, and nothing of the message before', () => {
  assert.equal(find('TAGS=a;KEYS=k1 k2;UNIQ_KEY=u;'), { tags: 'a', keys: 'k1 k2', uniqueKey: 'u' });
  assert.equal(find('UNIQ_KEY=u;W=1;KEYS=k;T=1;TAGS=ü'), { tags: 'ü', keys: 'k', uniqueKey: 'u' });
  assert.equal(find('UNIQ_KEY=only'), { tags: '', keys: '', uniqueKey: 'only' });
  assert.equal(find(''), { tags: '', keys: '', uniqueKey: '' });
});

ranges('names in part, in values and in another case are others', () => {
  for (const text of [
    'TAGSX=a',
    'TAG=a',
    'tags=a',
    'A=TAGS',
    'KEYS',
    'KEYS=',
    'UNIQ_KEYS=u',
    'XKEYS=a',
    ';;UNIQ_KEY',
  ]) {
    assert.equal(find(text), { tags: '', keys: '', uniqueKey: '' }, text);
  }
});

ranges('of several the last that has a value counts', () => {
  assert.equal(find('TAGS=a;TAGS=b;TAGS=;KEYS=k;KEYS=l'), { tags: 'b', keys: 'l', uniqueKey: '' });
});

ranges.run();
