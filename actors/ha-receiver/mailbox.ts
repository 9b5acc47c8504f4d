/** What the HA receiver accepts besides the bytes of its socket. */
export const HaReceiverType = {
  /** JSON of a {@link MasterPlace}: where the name server says the master is. */
  MASTER: 1,
} as const;

export interface MasterPlace {
  /** `host:port` that replicates; '' when no master is registered. */
  readonly haServerAddr: string;
  /** `host:port` that serves requests; '' when no master is registered. */
  readonly masterAddr: string;
}
