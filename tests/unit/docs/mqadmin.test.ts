/** docs/mqadmin.md says what the cases that run against Java say. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderMqadmin, renderSection } from '../../support/render-mqadmin.js';
import { readDocument } from './support.js';

const mqadmin = suite('docs: mqadmin');

mqadmin('docs/mqadmin.md is what render-mqadmin writes', () => {
  assert.fixture(readDocument('docs/mqadmin.md').text, renderMqadmin());
});

mqadmin('a command becomes a row: what is masked, what differs, once each', () => {
  const masks = [{ what: 'times', find: /x/, put: '' }];
  const differences = [{ reason: 'it has a|bar', java: /x/ }];
  const runs = [
    { call: 'all', masks, differences },
    { call: 'all -a', differences },
  ];
  const equal = { command: 'same', works: true, runs: [{ call: 'same' }], remark: 'easy' };
  const text = renderSection({
    title: 'Some',
    commands: [
      { command: 'all', works: true, runs },
      equal,
      { command: 'no', works: false, runs: [{ call: 'no', differences }] },
    ],
  });
  assert.ok(text.includes('| `all` | yes | 2 | equal, apart from times; but: it has a\\|bar |  |\n'), text);
  assert.ok(text.includes('| `same` | yes | 1 | equal | easy |\n'), text);
  assert.ok(text.includes('| `no` | no | 1 | it has a\\|bar |  |\n'), text);
});

mqadmin.run();
