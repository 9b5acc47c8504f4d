/**
 * The keys of RocketMQ's NamesrvConfig, in its order of declaration.
 *
 * Source: spec/properties.md section 7.
 */

import { bool, type KeyTable, none, text } from './keys.js';
import { listOfNames, pathPattern } from './patterns.js';

const clusterTest = none('RingMQ asks no other environment for routes');

export const namesrvKeys = {
  rocketmqHome: text('', 'install directory of RocketMQ', {
    environment: 'ROCKETMQ_HOME',
    ...none('RingMQ finds its own files'),
  }),
  kvConfigPath: text(({ homeDir }) => `${homeDir}/namesrv/kvConfig.json`, 'file of the key-value store', {
    defaultWords: '`<home directory>/namesrv/kvConfig.json`',
    pattern: pathPattern,
  }),
  configStorePath: text(
    ({ homeDir }) => `${homeDir}/namesrv/namesrv.properties`,
    'where changes at run time are written',
    {
      defaultWords: 'the file given with `-c`, else `<home directory>/namesrv/namesrv.properties`',
      pattern: pathPattern,
    },
  ),
  productEnvName: text('center', 'environment asked for unknown topics', clusterTest),
  clusterTest: bool(false, 'ask another environment for unknown topics', clusterTest),
  orderMessageEnable: bool(false, 'add the configuration of ordered topics to routes', { hot: true }),
  configBlackList: text('configBlackList;configStorePath;kvConfigPath', 'keys that cannot be changed at run time', {
    pattern: listOfNames,
  }),
} satisfies KeyTable;
