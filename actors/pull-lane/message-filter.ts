/** What a pull wants of its queue: by the entry of a message, and where that does not tell, by the message. Hot. */
import { decodeUtf8 } from '../../protocol/header-view.js';
import { recordPropertiesSize, recordPropertiesStart } from '../../protocol/message-record.js';
import { MessageProperty } from '../../protocol/property-names.js';
import { PropertyScan, type SqlFilter } from '../../protocol/sql-filter.js';
import type { TagFilter } from '../../protocol/tag-filter.js';

/** Whether a message passes. */
export interface RecordFilter {
  /** `bytes` hold the whole record from `start` on. */
  matchesRecord(bytes: Uint8Array, start: number): boolean;
}

export interface MessageFilter extends TagFilter {
  /** Undefined when the entry says all. */
  readonly record?: RecordFilter;
}

/** Messages of which an expression is true. */
export function sqlMessageFilter(filter: SqlFilter): MessageFilter {
  return {
    all: false,
    matches: () => true,
    record: { matchesRecord: (bytes, start) => isTrue(filter, bytes, start) },
  };
}

const retryTopic = new PropertyScan([MessageProperty.RETRY_TOPIC]);

/**
 * Messages of a retry topic, by what their group wants of the topic they come from (key filterSupportRetry).
 * `filterOf`: undefined when the group filters nothing there. Source: ExpressionForRetryMessageFilter.
 */
export function retryMessageFilter(tags: TagFilter, filterOf: (topic: string) => SqlFilter | undefined): MessageFilter {
  return {
    all: false,
    matches: tagsCode => tags.matches(tagsCode),
    record: {
      matchesRecord: (bytes, start) => {
        const properties = recordPropertiesStart(bytes, start);
        retryTopic.read(bytes, properties, properties + recordPropertiesSize(bytes, properties));
        if (retryTopic.starts[0]! < 0) return true;
        const filter = filterOf(decodeUtf8(bytes, retryTopic.starts[0]!, retryTopic.ends[0]!));
        return filter === undefined || isTrue(filter, bytes, start);
      },
    },
  };
}

function isTrue(filter: SqlFilter, bytes: Uint8Array, start: number): boolean {
  const properties = recordPropertiesStart(bytes, start);
  return filter.matches(bytes, properties, properties + recordPropertiesSize(bytes, properties));
}
