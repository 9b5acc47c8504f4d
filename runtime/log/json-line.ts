/**
 * One line of the log as JSON, in pino's format (level number, `time`, `name`, fields, `msg`; `err` as type, message,
 * stack), for threads that do not load pino: loading it takes about 30 ms a thread, this takes none.
 */
import { type LogLevel, logLevels } from './contract.js';

/** The severities a line can have. */
export type LineLevel = Exclude<LogLevel, 'silent'>;

/** An error as pino's standard serializer writes it, with a fault's code and its cause kept. */
export const serializeError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const { cause } = error;
  const code = (error as Error & { code?: unknown }).code;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause: serializeError(cause) }),
  };
};

// What JSON.stringify cannot write must not stop an actor: bigints become strings, errors anywhere keep their message.
const replace = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? serializeError(value) : value;
};

/** A bare error in place of fields, as pino takes it. */
export const toFields = (fields: object): object => (fields instanceof Error ? { err: fields } : fields);

/**
 * The line without its line end.
 * Units: `timeMs` ms since the epoch. Errors: none; fields that cannot be written as JSON are replaced by a note.
 */
export const formatLine = (level: LineLevel, timeMs: number, name: string, fields: object, message: string): string => {
  const frame = { level: logLevels[level], time: timeMs };
  try {
    // Spread twice: the frame comes first in the line and no field may replace it.
    return JSON.stringify({ ...frame, name, ...fields, ...frame, msg: message }, replace);
  } catch {
    return JSON.stringify({ ...frame, name, fieldsLost: true, msg: message });
  }
};
