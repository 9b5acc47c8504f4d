/** Where failures go that no call of the application waits for. */
import { messageOf } from '../runtime/base/errors.js';

/** `what` says what failed; it is tried again unless it says otherwise. */
export type ErrorReporter = (error: unknown, what: string) => void;

/** Tells the process, which prints a warning unless the application listens for it. */
const warnOfError: ErrorReporter = (error, what) => {
  process.emitWarning(`${what}: ${messageOf(error)}`, { type: 'RocketMQWarning', detail: stackOf(error) });
};

/** The application's reporter, or the warning; what the reporter itself throws becomes a warning. */
export function reporterOf(onError: ErrorReporter | undefined): ErrorReporter {
  if (onError === undefined) return warnOfError;
  return (error, what) => {
    try {
      onError(error, what);
    } catch (failure) {
      warnOfError(failure, `onError, told of ${what}`);
    }
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
