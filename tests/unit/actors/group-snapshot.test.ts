/** Groups as a lane knows them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type GroupEntry, GroupSnapshot } from '../../../actors/group-snapshot.js';

const snapshot = suite('actors/group-snapshot');

const entry: GroupEntry = {
  name: 'G',
  consumeEnable: true,
  consumeBroadcastEnable: true,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
};

snapshot('knows the newest entry of a group until it is deleted', () => {
  const groups = new GroupSnapshot();
  assert.is(groups.get('G'), undefined);
  groups.put(entry);
  groups.put({ ...entry, retryMaxTimes: 3 });
  assert.is(groups.get('G')!.retryMaxTimes, 3);
  groups.delete('G');
  assert.is(groups.get('G'), undefined);
});

snapshot.run();
