/**
 * Assertions for what only a bug of ours could break. They stop the actor; its supervisor decides what follows.
 * Operating faults (disk full, peer gone) are {@link ./errors.ts RingError}s; protocol outcomes are response codes.
 */

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} unless `condition` holds. One condition per call. */
export function assert(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a branch the type checker proves impossible: a forgotten case is a compile error. */
export function assertNever(value: never, what = 'value'): never {
  throw new AssertionError(`unexpected ${what}: ${String(value)}`);
}
