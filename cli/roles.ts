/**
 * What has to be said about the role of a broker while RingMQ does not replicate.
 */
import type { BrokerConfig } from '../config/index.js';

export interface RoleProblem {
  /** The broker must not start. */
  readonly fatal: boolean;
  readonly message: string;
  readonly advice: string;
}

/** The problem with a role; undefined when there is none. */
export function roleProblem({ brokerRole, brokerName }: BrokerConfig): RoleProblem | undefined {
  switch (brokerRole) {
    case 'SLAVE':
      return {
        fatal: true,
        message: `brokerRole=SLAVE: RingMQ does not replicate yet, so this copy of ${brokerName} would stay empty`,
        advice: 'Leave it out, or start it as brokerRole=ASYNC_MASTER with a brokerName of its own.',
      };
    case 'SYNC_MASTER':
      return {
        fatal: false,
        message: 'brokerRole=SYNC_MASTER: RingMQ does not replicate yet, so nothing is copied to a slave',
        advice: 'A send is acknowledged by this broker alone; if its disk is lost, the messages are lost.',
      };
    case 'ASYNC_MASTER':
      return undefined;
  }
}
