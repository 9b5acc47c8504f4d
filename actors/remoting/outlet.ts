import type { Counters } from '../../runtime/memory/counters.js';
import type { Doorbell } from '../../runtime/memory/doorbell.js';
import type { Ring } from '../../runtime/memory/ring.js';

/** A room's way in: its ring and its bell. */
export interface Outlet {
  readonly ring: Ring;
  readonly bell: Doorbell;
  /** Where what this ring did not take is counted. */
  readonly counters?: Counters;
}
