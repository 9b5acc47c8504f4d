/**
 * Errors across threads. Structured cloning keeps neither the class nor the code of an error, so they travel as records
 * and are rebuilt by code on the other side.
 */
import { type FaultCode, faultCodes, RingError } from '../base/errors.js';

/** An error that can be posted to another thread. */
export interface ErrorRecord {
  readonly isErrorRecord: true;
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Only of a {@link RingError}. */
  readonly code?: FaultCode;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorRecord;
}

/** A chain of causes is followed this far. */
const CAUSES_MAX = 8;

/** What of `value` another thread can receive; the rest as text. */
const toCloneable = (value: unknown): unknown => {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
};

/** Anything thrown, as a record. Errors: none; facts that cannot be cloned become text. */
export const toErrorRecord = (error: unknown, causesMax = CAUSES_MAX): ErrorRecord => {
  if (isErrorRecord(error)) return error;
  if (!(error instanceof Error)) return { isErrorRecord: true, name: 'Error', message: String(error) };
  const { name, message, stack, cause } = error;
  return {
    isErrorRecord: true,
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(error instanceof RingError
      ? {
          code: error.code,
          facts: Object.fromEntries(Object.entries(error.facts).map(([key, value]) => [key, toCloneable(value)])),
        }
      : {}),
    ...(cause === undefined || causesMax === 0 ? {} : { cause: toErrorRecord(cause, causesMax - 1) }),
  };
};

/** The error again: a {@link RingError} with its code and facts, anything else with its name, message and stack. */
export const fromErrorRecord = (record: ErrorRecord): Error => {
  const { name, message, stack, code, facts, cause } = record;
  const options = cause === undefined ? {} : { cause: fromErrorRecord(cause) };
  const isFault = code !== undefined && code in faultCodes;
  const error = isFault ? new RingError(code, message, facts, options) : new Error(message, options);
  if (!isFault) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
  return error;
};

export const isErrorRecord = (value: unknown): value is ErrorRecord =>
  typeof value === 'object' && value !== null && (value as Partial<ErrorRecord>).isErrorRecord === true;

/** What another thread threw, rebuilt when it came as a record. */
export const rebuildError = (thrown: unknown): unknown => (isErrorRecord(thrown) ? fromErrorRecord(thrown) : thrown);
