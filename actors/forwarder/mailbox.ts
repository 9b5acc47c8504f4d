/** What the forwarder needs to know; its records are {@link InboundFrame}s (actors/inbound.ts). */

/** Of a broker that has just been the master. Plain data. */
export interface Forwarding {
  /** `host:port` of the broker that is to be the master now. */
  readonly successor: string;
  /** Until then clients may not know. Units: ms since the epoch. */
  readonly untilMs: number;
}

/** In requests that were passed on, so that they are not passed on again: two brokers would play ball with them. */
export const PASSED_ON_FIELD = 'ringmqPassedOn';
