/**
 * `ringmq set-aside`: what a file holds that a broker cut off its log.
 */
import { decodeMessages, type MessageExt } from '../../client/index.js';
import { formatBytes } from '../../runtime/base/units.js';
import { nodeDisk } from '../../storage/disk.js';
import { SetAsideFile } from '../../storage/set-aside.js';
import { ExitCode } from '../exit-codes.js';
import { printJson } from '../reach.js';
import { bodyOf, messageFields } from '../read-messages.js';
import type { Shell } from '../shell.js';
import { number, renderTable } from '../table.js';
import { formatTime } from '../time.js';

export interface SetAsideFlags {
  readonly json?: true;
  readonly topic?: string;
  readonly max: number;
}

/** Lists the messages, oldest first. Errors: RingError for a file that is none, or that is damaged. */
export function showSetAside(shell: Shell, path: string, flags: SetAsideFlags): number {
  const file = new SetAsideFile(nodeDisk, path);
  const shown: MessageExt[] = [];
  let count = 0;
  try {
    for (const record of file.records()) {
      const [message] = decodeMessages(record);
      if (message === undefined || (flags.topic !== undefined && message.topic !== flags.topic)) continue;
      count++;
      if (shown.length < flags.max) shown.push(message);
    }
  } finally {
    file.close();
  }
  if (flags.json) {
    printJson(shell, shown.map(fieldsOf));
    return ExitCode.OK;
  }
  if (shown.length > 0) shell.out(tableOf(shell, shown));
  const { from, to } = file;
  const more = count > shown.length ? `, ${shown.length} of them shown: --max N` : '';
  shell.err(`${count} messages${more}; the log from ${from} to ${to}, ${formatBytes(to - from)}`);
  return ExitCode.OK;
}

/** The body twice: as it is, for who sends it again, and as text. */
const fieldsOf = (message: MessageExt): object => ({
  ...messageFields(message),
  bodyBase64: Buffer.from(message.body).toString('base64'),
  commitLogOffset: message.commitLogOffset,
  storeSize: message.storeSize,
});

function tableOf(shell: Shell, messages: readonly MessageExt[]): string {
  const columns = ['STORED', 'TOPIC', number('QUEUE'), number('OFFSET'), 'ID', 'TAGS', 'KEYS', 'BODY'];
  const rows = messages.map(message => [
    formatTime(message.storeTimestamp),
    message.topic,
    message.queueId,
    message.queueOffset,
    message.msgId,
    message.tags ?? '-',
    message.keys.join(' ') || '-',
    bodyOf(message).slice(0, BODY_SHOWN).replace(/\s+/g, ' '),
  ]);
  return renderTable(shell, columns, rows);
}

/** Units: characters. */
const BODY_SHOWN = 60;
