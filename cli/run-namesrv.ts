/**
 * Starts a name server alone, and says RocketMQ's sentence when it is there.
 *
 * Source: spec/properties.md section 2.
 */
import type { LoadedConfig, NamesrvConfig } from '../config/index.js';
import { explain } from './failure.js';
import { runNode } from './run-node.js';
import type { Shell } from './shell.js';

/** Runs a name server until a signal stops it. Errors: CliError. */
export async function runNamesrv(shell: Shell, program: string, loaded: LoadedConfig<NamesrvConfig>): Promise<number> {
  try {
    return await runNode(shell, program, { namesrv: loaded }, () => {
      shell.out('The Name Server boot success. serializeType=JSON');
    });
  } catch (error) {
    throw explain(error, true);
  }
}
