import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MQ_VERSION, MQ_VERSION_NAME, versionName } from '../../../protocol/codes.js';

const codes = suite('protocol/codes');

codes('versions have the names Java gives them', () => {
  assert.is(versionName(MQ_VERSION), MQ_VERSION_NAME);
  const names: readonly (readonly [number, string])[] = [
    [45, '45'],
    [46, 'V3_1_0_SNAPSHOT'],
    [62, 'V3_1_8_SNAPSHOT'],
    [79, 'V3_2_6'],
    [85, 'V3_2_9'],
    [86, 'V3_3_1_SNAPSHOT'],
    [103, 'V3_3_9'],
    [104, 'V3_4_1_SNAPSHOT'],
    [211, 'V3_9_9'],
    [212, 'V4_0_0_SNAPSHOT'],
    [407, 'V4_9_7'],
    [413, 'V5_0_0'],
    [479, 'V5_3_3'],
  ];
  for (const [version, name] of names) assert.is(versionName(version), name);
});

codes.run();
