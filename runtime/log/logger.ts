/**
 * The root logger of a node, on its main thread. The only door to pino: everybody else knows {@link Logger}.
 *
 *   main thread ── pino ──┐
 *                         ├──▶ standard output (pretty on a terminal, else JSON lines)
 *   worker ── ByteRing ───┘──▶ rotating file (when there is a log folder)
 *
 * pino's own transports are not used: they would start a thread each.
 */
import { KiB } from '../base/units.js';
import type { Logger, LogLevel } from './contract.js';
import { formatLine, serializeError } from './json-line.js';
import { type ConsoleOutput, type LineSink, openConsoleSink, openFileSink, openStandardOutput } from './sinks.js';
import { ThreadLogDrain } from './thread-log-drain.js';
import type { ThreadLogMemory } from './thread-logger.js';

export { createThreadLogger, type ThreadLogMemory } from './thread-logger.js';

export interface RootLoggerOptions {
  readonly level: LogLevel;
  /** Who speaks; also the name of the log file. */
  readonly name: string;
  /** Folder of the rotating file; no file without it. */
  readonly logDir?: string | undefined;
  /** 'auto': lines for people when standard output is a terminal. */
  readonly pretty: 'auto' | boolean;
  /** Instead of standard output. */
  readonly output?: ConsoleOutput;
}

export interface RootLogger {
  readonly logger: Logger;
  /** Memory for a worker thread's {@link createThreadLogger}. Units: `capacityBytes` bytes of lines waiting. */
  attachThread(name: string, capacityBytes?: number): ThreadLogMemory;
  /** The thread has ended. Its last lines are written. */
  detachThread(memory: ThreadLogMemory): void;
  /** Writes out at once what the threads have logged, for example before their crash is logged. */
  drainThreadLogs(): void;
  /** Writes out what waits and closes the files. */
  close(): Promise<void>;
}

const THREAD_LOG_BYTES = 256 * KiB;

/**
 * Opens the log of this process.
 * Errors: none for a log folder that cannot be written: the console says so and goes on alone.
 *
 * @example
 * const root = await createRootLogger({ level: 'info', name: 'broker-a', pretty: 'auto', logDir });
 * const worker = new Worker(file, { workerData: { log: root.attachThread('commit-log-writer') } });
 */
export const createRootLogger = async (options: RootLoggerOptions): Promise<RootLogger> => {
  const { level, name, logDir, pretty } = options;
  const { default: pino } = await import('pino');
  const consoleSink = await openConsoleSink(options.output ?? (await openStandardOutput()), pretty);
  const sinks: LineSink[] = [consoleSink];
  if (logDir !== undefined) {
    const onFailed = (reason: string): void => {
      const message = 'the log files are given up; logging goes on without them';
      consoleSink.write(`${formatLine('error', Date.now(), name, { logDir, reason }, message)}\n`);
    };
    sinks.push(await openFileSink(logDir, name, onFailed));
  }
  const write = (line: string): void => {
    for (const sink of sinks) sink.write(line);
  };
  const serializers = { err: serializeError, error: serializeError, cause: serializeError };
  const logger = pino({ level, name, base: {}, serializers }, { write });
  const drain = new ThreadLogDrain(write);
  const drainAtExit = (): void => drain.drain();
  process.once('exit', drainAtExit);
  return {
    logger,
    attachThread: (threadName, capacityBytes = THREAD_LOG_BYTES) => drain.attach(threadName, capacityBytes),
    detachThread: memory => drain.detach(memory),
    drainThreadLogs: () => drain.drain(),
    close: async () => {
      process.removeListener('exit', drainAtExit);
      drain.close();
      await Promise.all(sinks.map(sink => sink.close()));
    },
  };
};
