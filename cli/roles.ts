/**
 * What has to be said about the role of a broker before it starts.
 */
import type { BrokerConfig } from '../config/index.js';

export interface RoleProblem {
  readonly message: string;
  readonly advice: string;
}

/** The problem with a role; undefined when there is none. It runs all the same. */
export function roleProblem(config: BrokerConfig): RoleProblem | undefined {
  const { brokerRole, brokerName, namesrvAddr, haMasterAddress } = config;
  if (brokerRole !== 'SLAVE' || namesrvAddr !== '' || haMasterAddress !== '') return undefined;
  return {
    message: `brokerRole=SLAVE without namesrvAddr and haMasterAddress: nobody says where the master of ${brokerName} is`,
    advice: 'Set namesrvAddr to the name servers that the master registers with (or give -n).',
  };
}
