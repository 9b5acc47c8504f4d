/**
 * Writes docs/wire/store.md: the fixed binary layouts of the store and of replication, from the tables that encoders
 * and decoders read.
 *
 *   node dist/tests/support/render-layouts.js > docs/wire/store.md
 */
import { ConsumeQueueUnit } from '../../protocol/consume-queue-unit.js';
import { HaReport, HaTransferHeader } from '../../protocol/ha-frame.js';
import { type FieldType, fieldSizes, type Layout } from '../../protocol/layout.js';
import { RecordLayout } from '../../protocol/message-record.js';
import { CheckpointLayout } from '../../storage/checkpoint.js';
import { runAsProgram } from './rig-arguments.js';

/** What a field means; a field without an entry does not compile. */
type Meanings<Table> = Table extends Layout<infer Fields> ? Readonly<Record<keyof Fields, string>> : never;

const typeWords: Readonly<Record<FieldType, string>> = {
  i8: 'signed byte',
  i16: 'signed, 2 bytes',
  u24: 'unsigned, 3 bytes',
  i32: 'signed, 4 bytes',
  i64: 'signed, 8 bytes',
};

const recordMeanings: Meanings<typeof RecordLayout> = {
  totalSize: 'size of the whole record',
  magic: '`daa320a7`, or `daa320ab` when the topic length takes two bytes',
  bodyCrc: 'CRC-32 of the body, without its top bit',
  queueId: 'queue of the topic',
  flag: 'set by the producer, never read by the broker',
  queueOffset: 'place in its queue, in entries',
  physicalOffset: 'place in the log, in bytes: where this record starts',
  sysFlag: 'bits: compressed, transaction state, IPv6 hosts',
  bornTimestamp: 'when the producer sent it, ms',
  bornHost: 'the producer: IPv4 address, 4 bytes, and port, 4 bytes',
  storeTimestamp: 'when the broker stored it, ms',
  storeHost: 'the broker: IPv4 address and port',
  reconsumeTimes: 'how often its consumption was tried again',
  preparedTransactionOffset: 'of the prepared message, for the end of a transaction',
  bodyLength: 'size of the body',
};

const unitMeanings: Meanings<typeof ConsumeQueueUnit> = {
  physicalOffset: 'where the record starts in the log, in bytes',
  size: 'its size; `7fffffff` in entries that only fill a gap',
  tagsCode: "Java's hash of the tag, sign-extended; 0 without a tag",
};

const checkpointMeanings: Meanings<typeof CheckpointLayout> = {
  physicMsgTimestamp: 'store time of the newest message that is on the device, ms',
  logicsMsgTimestamp: 'the same for entries of consume queues',
  indexMsgTimestamp: 'the same for the key index',
  masterFlushedOffset: 'of RocketMQ 5; kept as it is',
  confirmPhyOffset: 'of RocketMQ 5; kept as it is',
};

const reportMeanings: Meanings<typeof HaReport> = {
  slaveMaxPhyOffset: "end of the slave's log: the first report asks from there, later ones acknowledge up to there",
};

const transferMeanings: Meanings<typeof HaTransferHeader> = {
  physicalOffset: 'where the bytes that follow stand in the log',
  bodySize: 'how many follow; 0 in a heartbeat',
};

/** One table: every field at its offset. */
export function renderLayout<Fields extends Record<string, FieldType>>(
  { name, fields, at, size }: Layout<Fields>,
  meanings: Readonly<Record<keyof Fields, string>>,
): string {
  const rows = Object.entries(fields).map(
    ([field, type]) =>
      `| ${at[field]} | ${fieldSizes[type]} | \`${field}\` | ${typeWords[type]} | ${meanings[field]} |`,
  );
  return [
    `### ${name}`,
    '',
    '| At | Bytes | Field | Type | Meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    `${size} bytes.`,
  ].join('\n');
}

/** The whole document. */
export function renderLayouts(): string {
  return `# Bytes of the store

<!-- Written by tests/support/render-layouts.ts from the layout tables. To renew it after a build:
     node dist/tests/support/render-layouts.js > docs/wire/store.md -->

All numbers are big-endian, as Java writes them. A store directory holds \`commitlog/\`,
\`consumequeue/TOPIC/QUEUE_ID/\`, \`checkpoint\` and \`config/\`. Files of the log and of queues are fixed in size and
named by the position of their first byte, 20 digits.

## commitlog: one record a message

Fixed part, then the body, one byte with the size of the topic, the topic, two bytes with the size of the properties,
the properties (\`name 01 value 02\`, UTF-8). With IPv6 hosts, which a bit of \`sysFlag\` says, each host takes 20
bytes; RingMQ reads such records and writes none. A record never crosses the end of a file: what remains is filled by a
blank, of which the size (4 bytes) and the magic \`cbd43194\` are written.

${renderLayout(RecordLayout, recordMeanings)}

## consumequeue: one entry a message

${renderLayout(ConsumeQueueUnit, unitMeanings)}

## checkpoint

The rest of the file, up to 4096 bytes, is zeros.

${renderLayout(CheckpointLayout, checkpointMeanings)}

## Replication: the HA port

A slave connects to its master's HA port and sends reports, nothing else; the master sends transfer headers, each with
its bytes of the log behind it, which may end in the middle of a record and never cross the end of a file. A slave with
an empty log reports 0 and gets the master's newest file.

${renderLayout(HaReport, reportMeanings)}

${renderLayout(HaTransferHeader, transferMeanings)}
`;
}

runAsProgram(import.meta.filename, async () => {
  process.stdout.write(renderLayouts());
});
