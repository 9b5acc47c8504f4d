/** How both pools run a module's default export on a thread of piscina. */

import type { Transferable } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { unbundledFile } from '../base/built-file.js';
import { rebuildError } from '../control/wire-errors.js';

export interface RunModuleOptions {
  readonly transferList?: readonly Transferable[] | undefined;
  /** Abandons the run; the thread it is on ends. */
  readonly signal?: AbortSignal | undefined;
}

const hostFile = unbundledFile('runtime/pool/module-host.cjs').href;

/**
 * Runs the default export of `file` with `data`; resolves with its result.
 * Errors: what it threw, rebuilt when it was thrown as a record; that its thread ended or its file did not load.
 */
export const runModule = async (
  pool: Piscina,
  file: URL,
  data: unknown,
  { transferList = [], signal }: RunModuleOptions,
): Promise<unknown> => {
  try {
    // The file is named here, not in the pool's options: one that does not load then rejects its own run.
    return await pool.run(
      { file: file.href, data },
      {
        filename: hostFile,
        name: 'default',
        transferList: [...transferList] as never[],
        ...(signal === undefined ? {} : { signal }),
      },
    );
  } catch (error) {
    throw rebuildError(error);
  }
};
