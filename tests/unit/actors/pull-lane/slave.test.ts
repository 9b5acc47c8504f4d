/** What a pull lane says of slaves, and does differently on one. Source: spec storage 13, ha 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { StoreState } from '../../../../actors/store-state.js';
import { takeAll } from '../../../support/rooms.js';
import { PullRoom, type PullRoomOptions, pullFrame } from './support.js';

const lane = suite('actors/pull-lane: slaves');

function roomOf(options: PullRoomOptions = {}, count = 3): PullRoom {
  const room = new PullRoom(options);
  for (let index = 0; index < count; index++) room.store.append(0, { body: new Uint8Array(100) });
  return room;
}

const suggested = (room: PullRoom, offset: number): string | undefined =>
  room.ask(pullFrame({ offset })).extFields.suggestWhichBrokerId;

lane('old messages are suggested to be read from a slave, and only with slaveReadEnable', () => {
  const settings = { slaveReadEnable: true, inMemoryBytes: 300 };
  assert.is(suggested(roomOf({ settings }), 2), '0', 'the newest');
  const room = roomOf({ settings: { ...settings, maxTransferCountOnMessageInDisk: 1 } });
  assert.is(suggested(room, 0), '1', 'the oldest');
  room.tellGroup({ whichBrokerWhenConsumeSlowly: 3, brokerId: 2 });
  assert.is(suggested(room, 0), '3');
  assert.is(suggested(room, 2), '2', "the group's own broker when it keeps up");
  room.tellSettings({ inMemoryBytes: 300, maxTransferCountOnMessageInDisk: 1 });
  assert.equal([suggested(room, 0), suggested(room, 2)], ['0', '0'], 'switched off at run time');
});

lane('a slave commits no offset of a pull: offsets are those of the master', () => {
  for (const bit of [0, StoreState.SLAVE]) {
    const room = roomOf();
    room.storeState.set(bit);
    room.ask(pullFrame({ sysFlag: 1 | 4, more: { commitOffset: 2 } }));
    const commits = takeAll(room.toCoordinator).filter(({ type }) => type === CoordinatorType.OFFSET_COMMIT);
    assert.is(commits.length, bit === 0 ? 1 : 0);
  }
});

lane('a slave leaves an offset out of its range as it is: it may only be late', () => {
  const room = roomOf();
  room.storeState.set(StoreState.SLAVE);
  room.store.table.publishMin(0, 1);
  for (const offset of [0, 9]) {
    const answer = room.ask(pullFrame({ offset }));
    assert.equal([answer.code, answer.extFields.nextBeginOffset], [20, String(offset)]);
  }
  assert.equal(room.ask(pullFrame({ offset: 3 })).extFields.nextBeginOffset, '3');
  room.tellSettings({ offsetCheckInSlave: true });
  const corrected = room.ask(pullFrame({ offset: 9 }));
  assert.equal([corrected.code, corrected.extFields.nextBeginOffset], [21, '3']);
});

lane('a slave answers with messages whatever slaveReadEnable says', () => {
  const room = roomOf();
  room.storeState.set(StoreState.SLAVE);
  assert.equal([room.ask(pullFrame()).code, suggested(room, 0)], [0, '0']);
});

lane.run();
