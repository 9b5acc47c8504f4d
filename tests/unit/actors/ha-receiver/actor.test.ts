/** The slave's side of replication against sockets of this test: when it dials again. */
import net from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HaReceiver } from '../../../../actors/ha-receiver/actor.js';
import { silentLogger } from '../../../../runtime/log/contract.js';
import { Counters } from '../../../../runtime/memory/counters.js';
import { Positions } from '../../../../runtime/memory/positions.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { CountingBell, makeRecorder, makeRing } from '../../../support/rooms.js';
import { until } from '../../../support/until.js';

const receiver = suite('actors/ha-receiver');

const hourMs = 3_600_000;

receiver('a clock that is set, forward or back, changes nothing about the next attempt', async () => {
  let dials = 0;
  const server = net.createServer(socket => {
    dials++;
    socket.destroy();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  let steadyMs = 1000;
  let wallMs = 1_700_000_000_000;
  const room = new HaReceiver({
    news: makeRing(),
    toWriter: makeRing(),
    writerBell: new CountingBell(),
    toCoordinator: makeRing(),
    coordinatorBell: new CountingBell(),
    positions: new Positions(),
    reader: new CommitLogReader(new MemoryDisk(), '/log', 4096),
    counters: new Counters(),
    recorder: makeRecorder(),
    log: silentLogger,
    settings: {
      haSendHeartbeatInterval: 5000,
      haHousekeepingInterval: 20_000,
      haMasterAddress: `127.0.0.1:${(server.address() as net.AddressInfo).port}`,
      lastRecordOffset: -1,
    },
    nowMs: () => steadyMs,
  });
  try {
    const isWaiting = (): boolean => {
      room.doWork(wallMs);
      return room.deadlineMs() > wallMs && room.deadlineMs() <= wallMs + 500;
    };
    room.start();
    for (const [attempt, jumpMs] of [-hourMs, hourMs, 0].entries()) {
      await until(() => isWaiting() && dials === attempt + 1, 'it was refused and waits');
      wallMs += jumpMs;
      assert.ok(isWaiting(), 'for no longer than before');
      steadyMs += 500;
      wallMs += 500;
    }
  } finally {
    room.close();
    await new Promise(resolve => server.close(resolve));
  }
});

receiver.run();
