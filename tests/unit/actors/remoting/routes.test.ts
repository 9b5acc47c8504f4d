/** Which room answers what. Source: spec remoting 4, 12.1. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPassedOn, type RoomName, routeOf } from '../../../../actors/remoting/routes.js';

const routes = suite('actors/remoting/routes');

const broker: Partial<Record<RoomName, number[]>> = {
  sendLane: [10, 310, 320, 36, 37, 323],
  pullLane: [11, 361, 29, 30, 31, 32, 33],
  coordinator: [14, 15, 17, 21, 25, 26, 28, 34, 35, 38, 43, 200, 201, 202, 207, 215, 305, 351, 4711, -1, 0],
};

routes('what only a master does is passed on by a broker that was one', () => {
  for (const code of [10, 310, 320, 36, 37, 14, 15, 41, 42]) {
    assert.equal(
      [isPassedOn(code, 'broker'), isPassedOn(code, 'vip'), isPassedOn(code, 'namesrv')],
      [true, true, false],
    );
  }
  for (const code of [11, 17, 30, 34, 38, 323, 12_010, -1]) assert.not(isPassedOn(code, 'broker'), String(code));
});

routes('a broker', () => {
  for (const [room, codes] of Object.entries(broker))
    for (const code of codes) assert.is(routeOf(code, 'broker'), room, String(code));
});

routes('the second port of a broker does the same, but for pulls', () => {
  for (const [room, codes] of Object.entries(broker)) {
    for (const code of codes)
      assert.is(routeOf(code, 'vip'), code === 11 || code === 361 ? 'coordinator' : room, String(code));
  }
});

routes('a name server answers everything itself', () => {
  for (const code of [10, 11, 103, 105, 4711, -1]) assert.is(routeOf(code, 'namesrv'), 'nameRegistry', String(code));
});

routes.run();
