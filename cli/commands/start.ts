/**
 * `ringmq start`: a preset or a file, with the name server in the same process where the file asks for one.
 */
import path from 'node:path';
import type { BrokerConfig, LoadedConfig, NamesrvConfig } from '../../config/index.js';
import { readProperties } from '../../config/properties.js';
import { hostToReach, isForNamesrv, loadBroker, loadNamesrv, reportWarnings } from '../load.js';
import type { Settings } from '../options.js';
import { type NamedFile, readText, resolvePresetOrFile } from '../package-files.js';
import { runBroker } from '../run-broker.js';
import { runNamesrv } from '../run-namesrv.js';
import type { Shell } from '../shell.js';
import { startSummary } from '../start-summary.js';

const program = 'ringmq start';

/** Runs until a signal stops it. Errors: CliError, ConfigError; those of RingNode.start. */
export async function start(shell: Shell, name: string, settings: Settings): Promise<number> {
  const named = resolvePresetOrFile(name);
  if (isForNamesrv(named.file)) return startNamesrv(shell, named, settings);
  const loaded = loadBrokerOf(shell, named.file, settings);
  reportWarnings(shell, program, loaded);
  const { config } = loaded;
  return runBroker(shell, program, {
    loaded,
    namesrv: config.namesrvListenPort > 0 ? namesrvBeside(config) : undefined,
    // A preset belongs to the package and stays as it is.
    configFile: named.isPreset ? undefined : named.file,
    summary: (node, address) => startSummary(shell, config, address, node.ports.namesrv),
  });
}

function startNamesrv(shell: Shell, { file, isPreset }: NamedFile, settings: Settings): Promise<number> {
  const { env } = shell;
  // The file of a name server takes its changes at run time, so a preset is not handed over as the file.
  const preset = (): Settings =>
    Object.fromEntries(readProperties(readText(file)).map(({ key, value }) => [key, value]));
  const loaded = isPreset
    ? loadNamesrv({ env, set: { ...preset(), ...settings } })
    : loadNamesrv({ env, set: settings, file });
  reportWarnings(shell, program, loaded);
  return runNamesrv(shell, program, loaded);
}

/** Where the name server's port is chosen and its address is not, the broker registers with the one beside it. */
function loadBrokerOf(shell: Shell, file: string, set: Settings): LoadedConfig<BrokerConfig> {
  const { env } = shell;
  const loaded = loadBroker({ env, set, file });
  const { namesrvListenPort, namesrvAddr, bindAddress } = loaded.config;
  const chosen = loaded.source('namesrvListenPort') === 'set' && loaded.source('namesrvAddr') !== 'set';
  if (namesrvListenPort === 0 || !(chosen || namesrvAddr === '')) return loaded;
  return loadBroker({ env, set, file, namesrvAddr: `${hostToReach(bindAddress)}:${namesrvListenPort}` });
}

/** The name server of the same process: it keeps its files in the broker's store folder. */
function namesrvBeside(config: BrokerConfig): LoadedConfig<NamesrvConfig> {
  const folder = path.join(config.storePathRootDir, 'namesrv');
  return loadNamesrv({
    set: {
      listenPort: String(config.namesrvListenPort),
      bindAddress: config.bindAddress,
      kvConfigPath: path.join(folder, 'kvConfig.json'),
      configStorePath: path.join(folder, 'namesrv.properties'),
    },
  });
}
