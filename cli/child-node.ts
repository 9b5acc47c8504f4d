/**
 * A node of its own process, started by a command: its output goes to a file, it is stopped with SIGTERM.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { packageFolder } from './package-files.js';

export interface ChildNodeOptions {
  /** `broker-a`: names the log file too. */
  readonly name: string;
  /** Arguments of `ringmq`. */
  readonly words: readonly string[];
  readonly logFolder: string;
}

export class ChildNode {
  readonly name: string;
  readonly logFile: string;
  /** Resolves with words for how it ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #over = false;

  constructor({ name, words, logFolder }: ChildNodeOptions) {
    this.name = name;
    this.logFile = path.join(logFolder, `${name}.log`);
    const log = fs.openSync(this.logFile, 'a');
    // A process group of its own: Ctrl-C at the terminal is for the command, which then stops its nodes in order.
    this.#child = spawn(process.execPath, [path.join(packageFolder(), 'bin', 'ringmq'), ...words], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    fs.closeSync(log);
    this.ended = new Promise(resolve => {
      this.#child.once('error', error => resolve(error.message));
      this.#child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    }).then(how => {
      this.#over = true;
      return how as string;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Asks it to stop; a second time, it ends at once. */
  stop(): void {
    if (!this.#over) this.#child.kill('SIGTERM');
  }

  /** The end of what it said. */
  lastLines(count = 5): string[] {
    return fs.readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-count);
  }
}
