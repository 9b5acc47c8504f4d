/**
 * Where built files are. A node starts in a third of the time from one bundled file than from some two hundred modules,
 * so the launchers run the bundle; tests and embedders run the modules. Files that threads load must be found from
 * both.
 */

/** Set when this was bundled (package.json, script `bundle`); its chunks stand in the bundle's root. */
declare const RINGMQ_BUNDLED: boolean | undefined;

/** `path`: from the root of the built tree, for example `actors/node/thread-entry.js`. */
export function builtFile(path: string): URL {
  const root = typeof RINGMQ_BUNDLED === 'undefined' ? '../../' : './';
  return new URL(root + path, import.meta.url);
}

/** A file that is not bundled, wherever this code runs. */
export function unbundledFile(path: string): URL {
  const root = typeof RINGMQ_BUNDLED === 'undefined' ? '../../' : '../';
  return new URL(root + path, import.meta.url);
}
