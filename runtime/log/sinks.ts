/** Where lines end: the terminal or pipe on standard output, and rotating files. */
import { isatty } from 'node:tty';
import { messageOf } from '../base/errors.js';
import { MiB } from '../base/units.js';

/** Takes whole lines of JSON, each with its line end. */
export interface LineSink {
  write(line: string): void;
  /** Resolves when all lines are handed to the operating system. */
  close(): Promise<void>;
}

/** Standard output as the log sees it; tests hand in their own. */
export interface ConsoleOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

const STANDARD_OUTPUT = 1;

/** Standard output, written synchronously: a line is out before what follows it can crash the process. */
export const openStandardOutput = async (): Promise<ConsoleOutput> => {
  const { default: pino } = await import('pino');
  const stream = pino.destination({ dest: STANDARD_OUTPUT, sync: true });
  // A closed pipe or a full disk behind standard output must not end the node.
  stream.on('error', () => {});
  return { isTerminal: isatty(STANDARD_OUTPUT), write: text => void stream.write(text) };
};

/**
 * Lines for people on a terminal, JSON lines otherwise. pino-pretty is loaded only for the former.
 * Shape: `pretty` 'auto' follows the terminal; colour only on a terminal that has not asked for none (NO_COLOR).
 */
export const openConsoleSink = async (output: ConsoleOutput, pretty: 'auto' | boolean): Promise<LineSink> => {
  const close = async (): Promise<void> => {};
  if (!(pretty === 'auto' ? output.isTerminal : pretty)) return { write: line => output.write(line), close };
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize: output.isTerminal && process.env.NO_COLOR === undefined,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  });
  return { write: line => output.write(prettify(line) ?? ''), close };
};

const FILE_SIZE_MAX = '100M';
const FILES_KEPT = 10;
/** Lines waiting for a slow disk. Beyond it lines are dropped and counted. Units: bytes. */
const BUFFERED_BYTES_MAX = 8 * MiB;

/**
 * `<logDir>/<name>.log`, rotated at 100 MB, ten older files kept as `.1` to `.10`, not compressed.
 * Errors: none thrown; when the files fail they are given up, `onFailed` hears why, and the other sinks go on.
 */
export const openFileSink = async (
  logDir: string,
  name: string,
  onFailed: (reason: string) => void,
): Promise<LineSink> => {
  const { createStream } = await import('rotating-file-stream');
  const stream = createStream(`${name}.log`, { path: logDir, size: FILE_SIZE_MAX, rotate: FILES_KEPT });
  let failed = false;
  let linesDropped = 0;
  stream.on('error', error => {
    if (failed) return;
    failed = true;
    onFailed(messageOf(error));
  });
  const write = (line: string): void => {
    if (failed) return;
    if (stream.writableLength > BUFFERED_BYTES_MAX) {
      linesDropped++;
      return;
    }
    if (linesDropped > 0) {
      const note = {
        level: 40,
        time: Date.now(),
        name,
        linesDropped,
        msg: 'lines dropped: the log folder is too slow',
      };
      linesDropped = 0;
      stream.write(`${JSON.stringify(note)}\n`);
    }
    stream.write(line);
  };
  const close = (): Promise<void> =>
    new Promise(resolve => {
      if (stream.closed || stream.destroyed) return resolve();
      stream.once('close', resolve);
      stream.end();
    });
  return { write, close };
};
