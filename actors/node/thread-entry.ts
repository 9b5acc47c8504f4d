/** What runs on a thread of its own: makes its rooms and drives them until the node says stop. */
import { isMainThread, workerData } from 'node:worker_threads';
import { runBlocking } from '../../runtime/actor/duty-cycle.js';
import { systemClock } from '../../runtime/base/clock.js';
import { ControlEndpoint, type ControlLine } from '../../runtime/control/endpoint.js';
import type { LogLevel } from '../../runtime/log/contract.js';
import { createThreadLogger, type ThreadLogMemory } from '../../runtime/log/thread-logger.js';
import { nodeDisk } from '../../storage/disk.js';
import { needsEventLoop } from './thread-plan.js';
import { type RoomsData, ThreadRooms } from './thread-rooms.js';

export interface ThreadData {
  readonly rooms: RoomsData;
  readonly control: ControlLine;
  readonly log: ThreadLogMemory;
  readonly logLevel: LogLevel;
  /** Empty cycles before the thread sleeps. */
  readonly spins: number;
}

/** Resolves when the node has stopped this thread. Errors: what an actor threw. */
export async function runThread(data: ThreadData): Promise<void> {
  const { rooms: roomsData, spins } = data;
  const log = createThreadLogger(data.log, data.logLevel, roomsData.thread);
  const rooms = new ThreadRooms(roomsData, nodeDisk, log);
  const endpoint = new ControlEndpoint(data.control, rooms);
  let crash: { error: unknown } | undefined;
  const onCrash = (_: unknown, error: unknown): void => {
    crash = { error };
    wake();
  };
  let wake = (): void => {};
  if (needsEventLoop(roomsData.actors)) {
    rooms.runOnEventLoop(onCrash);
    while (!rooms.stopped && crash === undefined) {
      await new Promise<void>(resolve => {
        wake = resolve;
        rooms.onStopped = resolve;
      });
    }
  } else {
    const bell = rooms.shop.threadBell(roomsData.thread);
    const goesOn = (): boolean => !rooms.stopped && !endpoint.knocked();
    const meters = rooms.actors.map(({ name }) => rooms.shop.counters(name));
    while (!rooms.stopped && crash === undefined) {
      runBlocking(rooms.actors, { bell, clock: systemClock, onCrash, pump: goesOn, spins, meters });
      await endpoint.turn();
    }
  }
  if (crash !== undefined) throw crash.error;
  // The answer to stop() must leave before the port closes.
  await endpoint.turn();
  endpoint.close();
}

if (!isMainThread && (workerData as { ringmqThread?: true } | null)?.ringmqThread === true) {
  void runThread((workerData as { data: ThreadData }).data);
}
