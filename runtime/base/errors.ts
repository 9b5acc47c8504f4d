/**
 * Operating faults: things that go wrong without a bug of ours. One table of codes, one error class, `cause` kept.
 */

export const faultCodes = {
  CONFIG_INVALID: 'a configuration value cannot be used',
  STORE_LOCKED: 'another process owns the store directory',
  STORE_CORRUPT: 'the store directory cannot be opened as it is',
  DISK_WRITE_FAILED: 'a write to disk failed',
  DISK_READ_FAILED: 'a read from disk failed',
  LISTEN_FAILED: 'a port cannot be listened on',
  CONNECT_FAILED: 'a peer cannot be reached',
  REQUEST_TIMEOUT: 'a peer did not answer in time',
  CONNECTION_CLOSED: 'the connection closed before the answer came',
  ACTOR_CRASHED: 'an actor stopped with an error',
  PROTOCOL_VIOLATION: 'a peer sent what is not the protocol',
} as const;

export type FaultCode = keyof typeof faultCodes;

/**
 * An operating fault.
 *
 * @example
 * throw new RingError('STORE_LOCKED', `${folder} is in use by process ${pid}`, { folder, pid });
 */
export class RingError extends Error {
  override readonly name = 'RingError';
  readonly code: FaultCode;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    code: FaultCode,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }
}

/** The message of anything thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
