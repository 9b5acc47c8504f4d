import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSubscription, MessageSelector } from '../../../client/subscription.js';

const subscription = suite('client/subscription');

subscription('tags are told one by one, with their hashes', () => {
  assert.equal(createSubscription('T', ' TagA || TagB ', 5), {
    topic: 'T',
    subString: 'TagA || TagB',
    tagsSet: ['TagA', 'TagB'],
    codeSet: [2598919, 2598920],
    subVersion: 5,
    expressionType: 'TAG',
    classFilterMode: false,
  });
});

subscription('nothing and * mean every message', () => {
  for (const expression of ['*', '', ' * ', MessageSelector.byTag('*')]) {
    const { subString, tagsSet } = createSubscription('T', expression, 0);
    assert.equal([subString, tagsSet], ['*', []]);
  }
});

subscription('a condition is passed on as it is', () => {
  const { subString, tagsSet, codeSet, expressionType } = createSubscription(
    'T',
    MessageSelector.bySql('a || b > 1'),
    0,
  );
  assert.equal([subString, tagsSet, codeSet, expressionType], ['a || b > 1', [], [], 'SQL92']);
});

subscription.run();
