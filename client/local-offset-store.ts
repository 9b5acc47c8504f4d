/**
 * Offsets of a consumer that broadcasts: each member has its own, in a file. The file is Java's:
 * `<folder>/<client id>/<group>/offsets.json`, with the version before it as `.bak`.
 * Source: spec scheduling 4; LocalFileOffsetStore.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { decodeBody, encodeBody, type Fields, integerOf } from '../protocol/bodies/fields.js';
import { type MessageQueue, messageQueueEntriesOf, messageQueueMap } from '../protocol/bodies/message-queue.js';
import { RingError } from '../runtime/base/errors.js';
import { type OffsetStore, OffsetTable } from './offset-store.js';
import { queueKey } from './route.js';

export class LocalOffsetStore implements OffsetStore {
  readonly #file: string;
  readonly #table = new OffsetTable();
  /** What the file holds, by the key of the queue; queues that are not read any more stay in it. */
  readonly #saved = new Map<string, readonly [MessageQueue, number]>();
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string, clientId: string, consumerGroup: string) {
    this.#file = path.join(folder, clientId, consumerGroup, 'offsets.json');
  }

  /** A file that is missing or damaged counts as its `.bak`; without either, nothing was consumed yet. */
  async load(): Promise<void> {
    const fields = (await readTable(this.#file)) ?? (await readTable(`${this.#file}.bak`));
    for (const entry of messageQueueEntriesOf(fields?.offsetTable, value => integerOf(value))) {
      this.#saved.set(queueKey(entry[0]), entry);
    }
  }

  read(queue: MessageQueue): number | undefined {
    return this.#table.read(queue);
  }

  async fetch(queue: MessageQueue): Promise<number | null> {
    return this.#saved.get(queueKey(queue))?.[1] ?? null;
  }

  update(queue: MessageQueue, offset: number, increaseOnly: boolean): void {
    this.#table.update(queue, offset, increaseOnly);
  }

  persist(queues: readonly MessageQueue[]): Promise<void> {
    // One write after the other: each replaces the whole file.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write(queues));
    return this.#writing;
  }

  forget(queue: MessageQueue): void {
    this.#table.forget(queue);
  }

  async #write(queues: readonly MessageQueue[]): Promise<void> {
    const changes = queues.flatMap(queue => {
      const offset = this.#table.changeOf(queue);
      return offset === undefined ? [] : [[queue, offset] as const];
    });
    if (changes.length === 0) return;
    for (const entry of changes) this.#saved.set(queueKey(entry[0]), entry);
    await replaceFile(this.#file, encodeBody({ offsetTable: messageQueueMap(this.#saved.values()) }));
    for (const [queue, offset] of changes) this.#table.markStored(queue, offset);
  }
}

/** undefined when there is no such file, or it holds something else. Errors: of the file system. */
async function readTable(file: string): Promise<Fields | undefined> {
  try {
    return decodeBody(await fs.readFile(file), file);
  } catch (error) {
    if (isMissing(error) || error instanceof RingError) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(`${file}.tmp`, bytes);
  await fs.copyFile(file, `${file}.bak`).catch(error => {
    if (!isMissing(error)) throw error; // it is not there before the first write
  });
  await fs.rename(`${file}.tmp`, file);
}
