/**
 * `--watch`: the same output again and again, in the same place on a terminal, one after another elsewhere.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode } from './exit-codes.js';
import { explain, failureText } from './failure.js';
import { untilInterrupted } from './interrupt.js';
import type { Shell } from './shell.js';

export interface WatchFlags {
  /** Units: s. */
  readonly watch?: number;
  readonly json?: true;
}

/** Cursor to the corner, all below it gone, and what has scrolled away too. */
const CLEAR_SCREEN = '\u001b[H\u001b[2J\u001b[3J';

/**
 * Does `show` once; with `watch` until a signal comes, which is the good end. What is wrong the first time ends it, a
 * later failure is shown and passes.
 */
export async function watching(
  shell: Shell,
  flags: WatchFlags,
  show: (shell: Shell) => Promise<number>,
): Promise<number> {
  const { watch: seconds } = flags;
  if (seconds === undefined) return show(shell);
  const clears = shell.isTerminal && !flags.json;
  let isFirst = true;
  await untilInterrupted(async signal => {
    while (!signal.aborted) {
      const lines: string[] = [];
      try {
        await show(collecting(shell, lines));
      } catch (error) {
        if (isFirst) throw error;
        lines.push(failureText('ringmq', explain(error)));
      }
      isFirst = false;
      // At once, so that nobody sees half of it.
      if (!signal.aborted) shell.out(`${clears ? CLEAR_SCREEN : ''}${lines.join('\n')}`);
      await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  });
  return ExitCode.OK;
}

/** `shell` with its standard output gathered in `lines`. */
function collecting(shell: Shell, lines: string[]): Shell {
  return {
    env: shell.env,
    isTerminal: shell.isTerminal,
    columns: shell.columns,
    out: text => void lines.push(text),
    err: text => shell.err(text),
    style: (style, text) => shell.style(style, text),
  };
}
