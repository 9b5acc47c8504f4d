/**
 * Finds the files that come with the package, wherever this file was built to.
 */
import fs from 'node:fs';
import path from 'node:path';
import { presetFile, presetNames } from '../config/index.js';
import { nearest } from '../config/nearest.js';
import { ExitCode } from './exit-codes.js';
import { CliError } from './failure.js';

/** The folder that holds bin/, config/ and package.json. */
export function packageFolder(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, 'config', 'namesrv.properties'))) return folder;
    if (folder === path.dirname(folder)) {
      throw new CliError('the configuration files of the package are missing: install it again', ExitCode.NOT_STARTED);
    }
  }
}

export function packageVersion(): string {
  const text = fs.readFileSync(path.join(packageFolder(), 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version ?? 'unknown');
}

/** A configuration somebody named. */
export interface NamedFile {
  readonly file: string;
  /** It comes with the package, and is nobody's to change. */
  readonly isPreset: boolean;
}

/** The file that a preset's name, or a path, stands for. Errors: CliError when it is neither. */
export function resolvePresetOrFile(name: string): NamedFile {
  const preset = presetFile(name);
  if (preset !== undefined) return { file: path.join(packageFolder(), preset), isPreset: true };
  if (fs.existsSync(name)) return { file: name, isPreset: false };
  const meant = nearest(name, presetNames);
  throw new CliError(`there is no preset and no file named ${name}`, ExitCode.NOT_STARTED, [
    ...(meant === undefined ? [] : [`Did you mean ${meant}?`]),
    `Presets: ${presetNames.join(', ')}.`,
  ]);
}

const latin1 = new TextDecoder('latin1');

/** A configuration file, UTF-8 or, as Java writes them, ISO-8859-1. Errors: Error with the reason in words. */
export function readText(file: string): string {
  try {
    const bytes = fs.readFileSync(file);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return latin1.decode(bytes);
    }
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? '';
    const words: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'this user may not read it',
    };
    throw new Error(words[code] ?? String(cause), { cause });
  }
}
