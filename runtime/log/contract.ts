/**
 * What an actor may say to the log. The same on the main thread (pino) and on a worker thread (a ring to the main
 * thread).
 */

export const logLevels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, silent: 100 } as const;

export type LogLevel = keyof typeof logLevels;

/**
 * Writes structured lines: the facts first, then one sentence for people.
 *
 * @example
 * logger.warn({ topic, queueId, err: error }, 'queue could not be rebuilt');
 */
export interface Logger {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to all its lines. */
  child(fields: object): Logger;
}

const ignore = (): void => {};

/** Says nothing, for tests. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};
