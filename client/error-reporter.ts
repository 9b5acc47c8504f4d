/** Where failures go that no call of the application waits for. */
import { messageOf } from '../runtime/base/errors.js';

/** `what` says what failed; it is tried again unless it says otherwise. */
export type ErrorReporter = (error: unknown, what: string) => void;

/** Tells the process, which prints a warning unless the application listens for it. */
export const warnOfError: ErrorReporter = (error, what) => {
  process.emitWarning(`${what}: ${messageOf(error)}`, { type: 'RocketMQWarning', detail: stackOf(error) });
};

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
