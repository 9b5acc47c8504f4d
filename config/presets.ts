/**
 * The configurations that come with the package.
 */

/**
 * Name -> file, relative to the root of the package. The ones of more than one broker are RocketMQ's own; brokers of
 * one preset are meant for machines of their own.
 */
export const presetFiles = {
  standalone: 'config/standalone/broker.properties',
  namesrv: 'config/namesrv.properties',
  '2m-noslave/broker-a': 'config/2m-noslave/broker-a.properties',
  '2m-noslave/broker-b': 'config/2m-noslave/broker-b.properties',
  '2m-2s-async/broker-a': 'config/2m-2s-async/broker-a.properties',
  '2m-2s-async/broker-a-s': 'config/2m-2s-async/broker-a-s.properties',
  '2m-2s-async/broker-b': 'config/2m-2s-async/broker-b.properties',
  '2m-2s-async/broker-b-s': 'config/2m-2s-async/broker-b-s.properties',
  '2m-2s-sync/broker-a': 'config/2m-2s-sync/broker-a.properties',
  '2m-2s-sync/broker-a-s': 'config/2m-2s-sync/broker-a-s.properties',
  '2m-2s-sync/broker-b': 'config/2m-2s-sync/broker-b.properties',
  '2m-2s-sync/broker-b-s': 'config/2m-2s-sync/broker-b-s.properties',
} as const;

export type PresetName = keyof typeof presetFiles;

export const presetNames = Object.keys(presetFiles) as PresetName[];

/** The file of a preset, relative to the root of the package; undefined if there is no such preset. */
export function presetFile(name: string): string | undefined {
  return Object.hasOwn(presetFiles, name) ? presetFiles[name as PresetName] : undefined;
}

/** Deployment modes of several brokers: what stands before the `/` of their presets. */
export const clusterModes = ['2m-noslave', '2m-2s-async', '2m-2s-sync'] as const;
export type ClusterMode = (typeof clusterModes)[number];
