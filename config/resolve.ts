/**
 * From layers of entries (update, flags, file, environment) to one value per key, with everything worth saying on the
 * way.
 */

import { absentKeys } from './absent.js';
import type { ConfigIssue, ConfigSource, Origin } from './issues.js';
import { type ConfigValue, defaultOf, type KeySpec } from './keys.js';
import type { Machine } from './machine.js';
import { nearest } from './nearest.js';
import type { Entry } from './properties.js';
import type { Schema } from './schema.js';
import { parseValue } from './values.js';

/** Entries that were given in one place. */
export interface Layer {
  readonly source: ConfigSource;
  readonly file?: string;
  readonly entries: readonly Entry[];
}

/** One entry and where it was given. */
interface Given extends Origin {
  /** As it was written, perhaps an alias. */
  readonly key: string;
  readonly value: string;
}

/** The values found so far, and the place where rules across keys read and correct them. */
export interface Draft {
  readonly schema: Schema;
  readonly values: Map<string, ConfigValue>;
  readonly sources: Map<string, ConfigSource>;
  readonly given: ReadonlyMap<string, Given>;
  readonly unknown: ReadonlyMap<string, Given>;
  readonly warnings: ConfigIssue[];
  readonly issues: ConfigIssue[];
  /** Keys whose value could not be read; their default stands in `values`, and rules leave them alone. */
  readonly bad: Set<string>;
}

const originOf = ({ source, file, line }: Origin): Origin => ({
  source,
  ...(file === undefined ? {} : { file }),
  ...(line === undefined ? {} : { line }),
});

/** A remark on an entry. */
export function remark(given: Given, message: string, allowed?: string): ConfigIssue {
  const issue = { ...originOf(given), key: given.key, value: given.value, message };
  return allowed === undefined ? issue : { ...issue, allowed };
}

/** A remark on a key, at the place where it was given if it was. */
export function remarkOn(draft: Draft, key: string, message: string): ConfigIssue {
  const source = draft.sources.get(key) ?? 'default';
  const given = draft.given.get(key) ?? { source, key, value: String(draft.values.get(key)) };
  return remark(given, message);
}

/** One entry per key as written: the last of a repeated key counts. */
function lastOfEach(layer: Layer, warnings: ConfigIssue[]): Map<string, Given> {
  const given = new Map<string, Given>();
  for (const entry of layer.entries) {
    const origin = layer.file === undefined ? { source: layer.source } : { source: layer.source, file: layer.file };
    const next = { ...origin, ...entry };
    const before = given.get(entry.key);
    if (before !== undefined) warnings.push(remark(before, `is given again on line ${entry.line}, where it counts`));
    given.set(entry.key, next);
  }
  return given;
}

/** Puts one layer over what weaker layers gave; aliases become the key they mean. */
function overlay(draft: { given: Map<string, Given>; unknown: Map<string, Given> }, layer: Layer, found: Draft): void {
  const written = lastOfEach(layer, found.warnings);
  const merged = new Map<string, Given>();
  for (const next of written.values()) {
    const name = found.schema.canonical.get(next.key);
    if (name === undefined) {
      draft.unknown.set(next.key, next);
      continue;
    }
    const rival = written.get(name);
    if (next.key === name || rival === undefined) merged.set(name, next);
    if (next.key === name) continue;
    const conflict = rival !== undefined && rival.value !== next.value;
    found.warnings.push(
      remark(
        next,
        conflict ? `means ${name}, which is also given and counts` : `is another spelling of ${name}, which is set`,
      ),
    );
  }
  for (const [name, next] of merged) draft.given.set(name, next);
}

function warnOfEffect(key: KeySpec, given: Given, warnings: ConfigIssue[]): void {
  // The environment holds variables for other programs too; nobody asked RingMQ to obey them.
  if (key.effect === 'active' || given.source === 'environment') return;
  const reason =
    'none' in key.effect ? `has no effect: ${key.effect.none}` : `has no effect yet: it waits for ${key.effect.later}`;
  warnings.push(remark(given, reason));
}

function parseGiven(draft: Draft, name: string, key: KeySpec, given: Given): void {
  const parsed = parseValue(key, given.value);
  if (!parsed.ok) {
    draft.issues.push(remark(given, parsed.message, parsed.allowed));
    draft.bad.add(name);
    return;
  }
  draft.values.set(name, parsed.value);
  draft.sources.set(name, given.source);
  if (parsed.warning !== undefined) draft.warnings.push(remark(given, parsed.warning));
  warnOfEffect(key, given, draft.warnings);
}

function judgeUnknown(draft: Draft): void {
  const strict = draft.values.get('configStrict') === true;
  for (const given of draft.unknown.values()) {
    const reason = absentKeys.get(given.key);
    if (reason !== undefined) {
      draft.warnings.push(remark(given, `has no effect: ${reason}`));
      continue;
    }
    const meant = nearest(given.key, draft.schema.canonical.keys());
    const message = `is not a known key${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    (strict ? draft.issues : draft.warnings).push(remark(given, message));
  }
}

/**
 * Finds the value of every key. A bad value becomes an issue and leaves the default standing, so that all are found.
 *
 * Shape: `layers` from strongest to weakest.
 */
export function resolve(schema: Schema, layers: readonly Layer[], machine: Machine): Draft {
  const given = new Map<string, Given>();
  const unknown = new Map<string, Given>();
  const draft: Draft = {
    schema,
    values: new Map(),
    sources: new Map(),
    given,
    unknown,
    warnings: [],
    issues: [],
    bad: new Set(),
  };
  for (const layer of layers.toReversed()) overlay({ given, unknown }, layer, draft);
  for (const { name, key } of schema.rows) {
    draft.values.set(name, defaultOf(key, machine));
    draft.sources.set(name, 'default');
    const entry = given.get(name);
    if (entry !== undefined) parseGiven(draft, name, key, entry);
  }
  judgeUnknown(draft);
  return draft;
}
