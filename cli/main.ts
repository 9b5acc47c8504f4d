/**
 * The three programs of the package: `ringmq`, and RocketMQ's `mqbroker` and `mqnamesrv`.
 */
import { type Command, CommanderError } from 'commander';
import { ExitCode } from './exit-codes.js';
import { explain, failureText } from './failure.js';
import { processShell, type Shell } from './shell.js';

export type ProgramName = 'ringmq' | 'mqbroker' | 'mqnamesrv';

async function build(program: ProgramName, shell: Shell, end: (exitCode: number) => void): Promise<Command> {
  switch (program) {
    case 'mqbroker':
      return (await import('./mqbroker.js')).mqbroker(shell, end);
    case 'mqnamesrv':
      return (await import('./mqnamesrv.js')).mqnamesrv(shell, end);
    case 'ringmq':
      return (await import('./ringmq.js')).ringmq(shell, end);
  }
}

/** Has commands of all depths throw instead of ending the process, and print through the shell. */
function tame(command: Command, shell: Shell, path = command.name()): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: text => shell.out(text.trimEnd()),
    writeErr: text => shell.err(text.trimEnd()),
    getOutHelpWidth: () => Math.min(shell.columns, HELP_COLUMNS_MAX),
    getErrHelpWidth: () => Math.min(shell.columns, HELP_COLUMNS_MAX),
  });
  for (const child of command.commands) {
    const childPath = `${path} ${child.name()}`;
    child.showHelpAfterError(`\`${childPath} --help\` says how it is used.`);
    tame(child, shell, childPath);
  }
}

const HELP_COLUMNS_MAX = 100;
/** How long an ended program may take to go away by itself. Units: ms. */
const END_PATIENCE_MS = 1000;

/** Runs a program to its end and says how it ended. Nodes run until a signal comes. */
export async function run(program: ProgramName, args: readonly string[], shell: Shell): Promise<number> {
  let exitCode: number = ExitCode.OK;
  try {
    const command = await build(program, shell, code => {
      exitCode = code;
    });
    tame(command, shell);
    await command.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode;
    const failure = explain(error);
    shell.err(failureText(program, failure));
    return failure.exitCode;
  }
}

/** {@link run} for this process, which ends with the exit code. */
export async function main(program: ProgramName, args: readonly string[]): Promise<void> {
  // `ringmq config | head` closes the pipe early: nobody is left to complain to.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const exitCode = await run(program, args, processShell());
  process.exitCode = exitCode;
  // Whatever a failed start may have left open does not keep the process.
  setTimeout(() => process.exit(exitCode), END_PATIENCE_MS).unref();
}
