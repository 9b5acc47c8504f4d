/**
 * What an actor is to the runtime: one room of the building. It owns its state alone, takes what is in its mailboxes,
 * decides, and acts through effects that were handed in. It never knows on which thread it runs or how it is woken.
 */

export interface Actor {
  readonly name: string;
  /**
   * Does a bounded amount of work and says how much; 0 means there was nothing to do.
   * Errors: an exception is a bug; the supervisor decides whether the actor or the node restarts.
   */
  doWork(nowMs: number): number;
  /** When it wants to run next without being rung. Units: ms since the epoch; Infinity: only when rung. */
  deadlineMs(): number;
  /** Releases what it holds. Called once, on its own thread, after its last duty cycle. */
  close(): void;
}

/** Told when an actor threw. */
export type CrashListener = (actor: Actor, error: unknown) => void;
