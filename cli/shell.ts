/**
 * What a program sees of the shell it runs in. Tests hand in one that collects.
 */
import { styleText } from 'node:util';

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output is a terminal: somebody reads along. */
  readonly isTerminal: boolean;
  /** Width of the terminal; wide when there is none, so that nothing is cut. */
  readonly columns: number;
  /** One or more lines on standard output; a line end is added. */
  out(text: string): void;
  /** The same on standard error. */
  err(text: string): void;
  /** `text` in a style on standard output, or as it is where colours are not wanted. */
  style(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** For output that is not read on a terminal. Units: characters. */
const COLUMNS_WITHOUT_TERMINAL = 200;

/** The shell of this process. */
export function processShell(): Shell {
  const { env, stdout } = process;
  const coloured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    env,
    isTerminal: stdout.isTTY === true,
    columns: stdout.isTTY ? stdout.columns : COLUMNS_WITHOUT_TERMINAL,
    out: text => void stdout.write(`${text}\n`),
    err: text => void process.stderr.write(`${text}\n`),
    style: (style, text) => (coloured ? styleText(style, text) : text),
  };
}
