/** Makes the name registry: its key-value file and its configuration requests. Cold. */
import { dirname } from 'node:path';
import { formatIssue, type LoadedConfig, type NamesrvConfig, persistedText, updateConfig } from '../../config/index.js';
import { ResponseCode } from '../../protocol/codes.js';
import type { Logger } from '../../runtime/log/contract.js';
import type { Disk } from '../../storage/disk.js';
import { NameRegistryActor } from '../name-registry/actor.js';
import type { Workshop } from './memory.js';

/** Errors: RingError CONFIG_INVALID when the key-value file cannot be read. */
export function buildNameRegistry(
  shop: Workshop,
  loaded: LoadedConfig<NamesrvConfig>,
  disk: Disk,
  log: Logger,
): NameRegistryActor {
  let current = loaded;
  const behaviour = { orderMessageEnable: loaded.config.orderMessageEnable };
  const write = (path: string, text: string): void => {
    disk.makeFolder(dirname(path));
    disk.writeText(`${path}.tmp`, text);
    disk.rename(`${path}.tmp`, path);
  };
  return new NameRegistryActor({
    fromRemoting: shop.ring('remoting', 'name-registry'),
    toRemoting: shop.ring('name-registry', 'remoting'),
    remotingBell: shop.bell('remoting'),
    behaviour,
    effects: {
      kvStore: {
        load: () => disk.readText(loaded.config.kvConfigPath) ?? null,
        save: text => write(loaded.config.kvConfigPath, text),
      },
      log: log.child({ actor: 'name-registry' }),
      configText: () => current.text(),
      updateConfig: text => {
        const result = updateConfig(current, text);
        if (!result.ok) {
          if ('forbidden' in result) {
            return {
              code: ResponseCode.NO_PERMISSION,
              remark: `Can not update config in black list. ${result.forbidden}`,
            };
          }
          return { code: ResponseCode.SYSTEM_ERROR, remark: result.issues.map(formatIssue).join('\n') };
        }
        write(current.config.configStorePath, persistedText(result.loaded));
        current = result.loaded;
        behaviour.orderMessageEnable = current.config.orderMessageEnable;
        return { code: ResponseCode.SUCCESS, remark: null };
      },
    },
  });
}
