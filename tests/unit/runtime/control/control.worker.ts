/** An actor that sleeps on its doorbell for a minute at a time unless it is rung. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { RingError } from '../../../../runtime/base/errors.js';
import { ControlEndpoint, type ControlLine } from '../../../../runtime/control/endpoint.js';
import { Doorbell } from '../../../../runtime/memory/doorbell.js';

export interface ControlWorkerData {
  readonly control: ControlLine;
  readonly bell: SharedArrayBuffer;
  readonly loop: 'blocking' | 'event-loop';
}

const data = workerData as ControlWorkerData;
const bell = new Doorbell(data.bell);
let stopped = false;
let unfinished = 0;
let drained: (() => void) | undefined;

const surface = {
  add: (left: number, right: number): number => left + right,
  fail: (): never => {
    throw new RingError(
      'DISK_WRITE_FAILED',
      'no space',
      { path: 'p', callback: () => {} },
      { cause: new Error('ENOSPC') },
    );
  },
  failPlainly: (): never => {
    throw new TypeError('not a number');
  },
  unserializable: (): unknown => () => {},
  /** Answers from within a later cycle, as a writer does that has work left. */
  drain: (cycles: number): Promise<void> => {
    unfinished = cycles;
    return new Promise(resolve => {
      drained = resolve;
    });
  },
  never: (): Promise<void> => new Promise(() => {}),
  attach: (port: MessagePort): void => {
    port.postMessage('hello');
    port.close();
  },
  crash: (): void => {
    setImmediate(() => {
      throw new Error('crashed on purpose');
    });
  },
  stop: (): void => {
    stopped = true;
  },
};

export type TestControl = typeof surface;

const doWork = (): number => {
  if (drained === undefined) return 0;
  if (--unfinished > 0) return 1;
  drained();
  drained = undefined;
  return 1;
};

const endpoint = new ControlEndpoint(data.control, surface);
if (data.loop === 'blocking') {
  while (!stopped) {
    const seen = bell.read();
    await endpoint.pump();
    if (doWork() === 0 && !stopped) bell.wait(seen, 60_000);
  }
  endpoint.close();
}
