/**
 * A node as a process: started, announced, stopped by a signal.
 */
import type { NodeOptions, RingNode } from '../actors/node/index.js';
import { messageOf } from '../runtime/base/errors.js';
import { ExitCode } from './exit-codes.js';
import type { Shell } from './shell.js';

type EndSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** What a shell shows for a process that a signal ended. */
const signalExitCodes: Readonly<Record<EndSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * Runs a node until a signal stops it or it cannot go on; a second signal ends the process at once.
 * Errors: those of RingNode.start.
 */
export async function runNode(
  shell: Shell,
  program: string,
  options: NodeOptions,
  announce: (node: RingNode) => void | Promise<void>,
): Promise<number> {
  const ending = awaitEnd(shell, program);
  try {
    const { RingNode } = await import('../actors/node/index.js');
    const node = await RingNode.start({ ...options, onFailed: ending.fail });
    await announce(node);
    const exitCode = await ending.reason;
    await node.stop();
    return exitCode;
  } finally {
    ending.forget();
  }
}

interface Ending {
  /** Resolves with the exit code when the node has to stop. */
  readonly reason: Promise<number>;
  readonly fail: (reason: string) => void;
  forget(): void;
}

function awaitEnd(shell: Shell, program: string): Ending {
  let end: (exitCode: number) => void = () => {};
  const reason = new Promise<number>(resolve => {
    end = resolve;
  });
  let stopping = false;
  const onSignal = (signal: EndSignal): void => {
    // Node.js undoes what nohup arranged. Away from a terminal a hang-up concerns nobody.
    if (signal === 'SIGHUP' && !shell.isTerminal) return;
    if (stopping) process.exit(signalExitCodes[signal]);
    stopping = true;
    shell.err(`${program}: ${signal}: stopping; a second signal ends it at once`);
    end(ExitCode.OK);
  };
  // After a bug nothing in memory can be trusted, so the store is left as after a crash and read back at the next
  // start.
  const onBug = (error: unknown): void => {
    shell.err(`${program}: this is a bug in RingMQ: ${error instanceof Error ? error.stack : messageOf(error)}`);
    process.exit(ExitCode.FAILED);
  };
  const signals = Object.keys(signalExitCodes) as EndSignal[];
  for (const signal of signals) process.on(signal, onSignal);
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  return {
    reason,
    fail: why => {
      shell.err(`${program}: the node cannot go on: ${why}`);
      end(ExitCode.FAILED);
    },
    forget: () => {
      for (const signal of signals) process.off(signal, onSignal);
      process.off('uncaughtException', onBug);
      process.off('unhandledRejection', onBug);
    },
  };
}
