import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaHashText } from '../../../protocol/message-record.js';
import { ALL_TAGS, parseTagExpression } from '../../../protocol/tag-filter.js';

const filters = suite('protocol/tag-filter');

const matches = (expression: string, tag: string): boolean | undefined =>
  parseTagExpression(expression)?.matches(javaHashText(tag));

filters('everything', () => {
  for (const expression of [null, '', '*', '  ', ' * ']) assert.is(parseTagExpression(expression), ALL_TAGS);
  assert.ok(ALL_TAGS.all);
  assert.ok(ALL_TAGS.matches(0));
  assert.ok(ALL_TAGS.matches(-1));
});

filters('one tag, by the hash of the specification', () => {
  const filter = parseTagExpression('TagA');
  assert.is(filter?.all, false);
  assert.ok(filter?.matches(2598919));
  assert.not(filter?.matches(2598920));
  assert.not(filter?.matches(0), 'a message without a tag');
});

filters('several tags, with and without space', () => {
  for (const expression of ['TagA||TagB', ' TagA || TagB ', '||TagA||||TagB||']) {
    assert.ok(matches(expression, 'TagA'), expression);
    assert.ok(matches(expression, 'TagB'), expression);
    assert.not(matches(expression, 'TagC'), expression);
    assert.not(matches(expression, ''), expression);
  }
});

filters('the hash decides: the client compares the text', () => {
  assert.is(javaHashText('Aa'), javaHashText('BB'));
  assert.ok(matches('Aa', 'BB'));
});

filters('hashes beyond 31 bits and beyond ASCII', () => {
  assert.ok(javaHashText('polygenelubricants') === -0x80000000);
  assert.ok(matches('polygenelubricants || x', 'polygenelubricants'));
  assert.ok(matches('标签', '标签'));
});

filters('an expression that names no tag', () => {
  for (const expression of ['||', ' || ', '|| ||']) assert.is(parseTagExpression(expression), undefined);
});

filters.run();
