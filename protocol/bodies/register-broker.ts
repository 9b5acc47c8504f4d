/**
 * The body of REGISTER_BROKER (103): JSON, or the deflated form, or from the oldest brokers a bare topic table.
 * Source: spec remoting 1.4, 9.2; RegisterBrokerBody.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { RingError } from '../../runtime/base/errors.js';
import { MiB } from '../../runtime/base/units.js';
import { getI32, putI32 } from '../bytes.js';
import { parseDialect, stringifyDialect } from '../json-dialect.js';
import { decodeTopicConfigText, encodeTopicConfigText } from '../topic-config-text.js';
import { decodeBody, decodeText, type Fields, isFields, listOf, textOf } from './fields.js';
import {
  dataVersionOf,
  INITIAL_DATA_VERSION,
  type TopicConfig,
  type TopicConfigSerializeWrapper,
  topicConfigSerializeWrapperOf,
} from './topic.js';

export interface RegisterBrokerBody {
  /** `null` from brokers that know of no filter servers: then what is known stays. */
  readonly filterServerList: readonly string[] | null;
  readonly topicConfigSerializeWrapper: TopicConfigSerializeWrapper;
  /** 5.x static topics by name, as they came; only the compressed form of a sender >= 413 is read. */
  readonly topicQueueMappingInfoMap?: Readonly<Record<string, Fields>>;
}

/** V3_0_11: from here on the body is a RegisterBrokerBody. */
const VERSION_WITH_FILTER_SERVERS = 37;
/** V5_0_0: from here on the compressed form ends with the static topics. */
const VERSION_WITH_QUEUE_MAPPING = 413;
/** A deflated body may not grow beyond this. Units: bytes. */
const INFLATED_SIZE_MAX = 64 * MiB;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The ext field `bodyCrc32` of a body as sent. Units: 31 bits, unsigned (spec pitfall 21). */
export function registerBodyCrc32(bytes: Uint8Array | null): number {
  return bytes === null ? 0 : crc32(bytes) & 0x7fff_ffff;
}

/** As a sender of a version below 413 writes it. */
export function encodeRegisterBrokerBody(body: RegisterBrokerBody, compressed = false): Uint8Array {
  const { filterServerList, topicConfigSerializeWrapper } = body;
  if (!compressed) {
    return encoder.encode(stringifyDialect({ filterServerList: filterServerList ?? [], topicConfigSerializeWrapper }));
  }
  const topics = Object.values(topicConfigSerializeWrapper.topicConfigTable);
  const parts: Uint8Array[] = [];
  pushBlock(parts, stringifyDialect(topicConfigSerializeWrapper.dataVersion));
  parts.push(integerBytes(topics.length));
  for (const topic of topics) pushBlock(parts, encodeTopicConfigText(topic));
  pushBlock(parts, stringifyDialect(filterServerList ?? []));
  return deflateSync(Buffer.concat(parts), { level: 9 });
}

function pushBlock(parts: Uint8Array[], text: string): void {
  const bytes = encoder.encode(text);
  parts.push(integerBytes(bytes.length), bytes);
}

function integerBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32(bytes, 0, value);
  return bytes;
}

/**
 * `version` is the sender's, from its frame; it decides what the body is. No body means no topics.
 * Errors: RingError PROTOCOL_VIOLATION.
 */
export function decodeRegisterBrokerBody(
  bytes: Uint8Array | null,
  sender: { readonly version: number; readonly compressed: boolean },
): RegisterBrokerBody {
  if (sender.version < VERSION_WITH_FILTER_SERVERS) {
    const fields = bytes === null ? {} : decodeBody(bytes, 'TopicConfigSerializeWrapper');
    return { filterServerList: null, topicConfigSerializeWrapper: topicConfigSerializeWrapperOf(fields) };
  }
  if (bytes === null) {
    const topicConfigSerializeWrapper = { dataVersion: INITIAL_DATA_VERSION, topicConfigTable: {} };
    return { filterServerList: [], topicConfigSerializeWrapper };
  }
  if (sender.compressed) return decodeCompressed(bytes, sender.version);
  const fields = decodeBody(bytes, 'RegisterBrokerBody');
  const wrapper = fields.topicConfigSerializeWrapper;
  return {
    filterServerList: listOf(fields.filterServerList, textOf),
    topicConfigSerializeWrapper: topicConfigSerializeWrapperOf(isFields(wrapper) ? wrapper : {}),
  };
}

function decodeCompressed(bytes: Uint8Array, version: number): RegisterBrokerBody {
  const reader = new BlockReader(inflate(bytes));
  const dataVersion = dataVersionOf(decodeText(reader.readText(), 'DataVersion'));
  const topics: [string, TopicConfig][] = [];
  for (let rest = reader.readCount(); rest > 0; rest--) {
    const topic = decodeTopicConfigText(reader.readText());
    topics.push([topic.topicName, topic]);
  }
  const body = {
    filterServerList: listOf(parseDialect(reader.readText()), textOf),
    topicConfigSerializeWrapper: { dataVersion, topicConfigTable: Object.fromEntries(topics) },
  };
  return version < VERSION_WITH_QUEUE_MAPPING ? body : { ...body, topicQueueMappingInfoMap: readMappings(reader) };
}

function readMappings(reader: BlockReader): Readonly<Record<string, Fields>> {
  const mappings: [string, Fields][] = [];
  for (let rest = reader.readCount(); rest > 0; rest--) {
    const mapping = decodeText(reader.readText(), 'TopicQueueMappingInfo');
    mappings.push([textOf(mapping.topic), mapping]);
  }
  return Object.fromEntries(mappings);
}

function inflate(bytes: Uint8Array): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: INFLATED_SIZE_MAX });
  } catch (cause) {
    throw new RingError('PROTOCOL_VIOLATION', 'RegisterBrokerBody: cannot be inflated', {}, { cause });
  }
}

/** Counts, and texts that follow their own length. */
class BlockReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readText(): string {
    const length = this.#readInteger();
    if (length < 0 || length > this.#bytes.length - this.#at) throw this.#truncated();
    this.#at += length;
    return decoder.decode(this.#bytes.subarray(this.#at - length, this.#at));
  }

  /** A number of texts, each at least as long as its own length field. */
  readCount(): number {
    const count = this.#readInteger();
    if (count < 0 || count > (this.#bytes.length - this.#at) / 4) throw this.#truncated();
    return count;
  }

  #readInteger(): number {
    if (this.#at + 4 > this.#bytes.length) throw this.#truncated();
    this.#at += 4;
    return getI32(this.#bytes, this.#at - 4);
  }

  #truncated(): RingError {
    const message = `RegisterBrokerBody: a length that does not fit at byte ${this.#at} of ${this.#bytes.length}`;
    return new RingError('PROTOCOL_VIOLATION', message, { position: this.#at });
  }
}
