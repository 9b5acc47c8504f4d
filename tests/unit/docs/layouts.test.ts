/** docs/wire/store.md says what the layout tables say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { layout } from '../../../protocol/layout.js';
import { renderLayout, renderLayouts } from '../../support/render-layouts.js';
import { readDocument } from './support.js';

const layouts = suite('docs: layouts');

layouts('docs/wire/store.md is what render-layouts writes', () => {
  assert.fixture(readDocument('docs/wire/store.md').text, renderLayouts());
});

layouts('a layout becomes a table with every field at its offset', () => {
  const unit = layout('Unit', { first: 'i64', second: 'i32' });
  const text = renderLayout(unit, { first: 'one', second: 'two' });
  assert.ok(text.includes('| 0 | 8 | `first` | signed, 8 bytes | one |\n| 8 | 4 | `second` | signed, 4 bytes | two |'));
  assert.ok(text.endsWith('\n12 bytes.'));
});

layouts.run();
