/** What a slave makes of the answers of its master before it follows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ComparisonResult, compareLogs } from '../../../../actors/ha-receiver/log-comparison.js';
import { encodeBody } from '../../../../protocol/bodies/fields.js';
import { RequestCode, ResponseCode } from '../../../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../../../protocol/command.js';
import { CommitLogReader } from '../../../../storage/commit-log-reader.js';
import { readRecord } from '../../../../storage/record-reader.js';
import { FakeBroker } from '../../../support/fake-broker.js';
import { MemoryDisk } from '../../../support/faulty-disk.js';
import { LogBuilder } from '../../../support/record-builder.js';

const comparison = suite('actors/ha-receiver: log comparison');

const segmentSize = 64 * 1024;
const folder = '/log';
const RECORDS = 8;

class Log {
  readonly #disk = new MemoryDisk();
  readonly #builder = new LogBuilder(this.#disk, folder, segmentSize);
  readonly reader = new CommitLogReader(this.#disk, folder, segmentSize);
  lastRecordOffset = -1;

  constructor(records = RECORDS) {
    for (let index = 0; index < records; index++) {
      this.lastRecordOffset = this.#builder.end;
      this.#builder.append({ body: new Uint8Array(100).fill(index) });
    }
  }

  get end(): number {
    return this.#builder.end;
  }
}

const failure = (request: RemotingCommand): RemotingCommand =>
  createResponse(request, ResponseCode.SYSTEM_ERROR, 'java.util.NoSuchElementException');

/** `answersBounds`: a Java broker cannot in its first second. */
async function ask(slave: Log, master: Log, answersBounds = true): Promise<ComparisonResult> {
  const broker = await FakeBroker.listen();
  broker.on(RequestCode.VIEW_MESSAGE_BY_ID, request => {
    const record = readRecord(master.reader, Number(request.extFields.offset), 0, master.end);
    return record === undefined ? failure(request) : createResponse(request, 0, null, {}, record);
  });
  broker.on(RequestCode.GET_BROKER_RUNTIME_INFO, request => {
    const table = { commitLogMinOffset: '0', commitLogMaxOffset: String(master.end) };
    return answersBounds ? createResponse(request, 0, null, {}, encodeBody({ table })) : failure(request);
  });
  try {
    const { lastRecordOffset, reader, end } = slave;
    const own = { reader, minimum: 0, end };
    const place = { masterAddr: broker.address, own, lastRecordOffset };
    return await compareLogs({ ...place, partedAt: undefined, timeoutMs: 2000 });
  } finally {
    await broker.close();
  }
}

comparison('a slave whose last record is the same follows, whatever else the master can say', async () => {
  assert.equal(await ask(new Log(), new Log(RECORDS + 2), false), { fits: true, remark: '' });
});

comparison('one that is ahead does not, and knows from where on', async () => {
  const result = await ask(new Log(RECORDS + 2), new Log());
  assert.not(result.fits);
  assert.is('agreed' in result && result.agreed?.position, new Log().end);
});

comparison('as long as the master cannot say how far its log reaches, a slave with another end waits', async () => {
  const result = await ask(new Log(RECORDS + 2), new Log(), false);
  assert.equal([result.fits, 'undecided' in result && result.undecided], [false, true]);
  assert.match('reason' in result ? result.reason : '', 'NoSuchElementException');
});

comparison('a master that cannot be asked at all is followed: the HA protocol itself decides', async () => {
  const broker = await FakeBroker.listen();
  const masterAddr = broker.address;
  await broker.close();
  const { lastRecordOffset, reader, end } = new Log();
  const own = { reader, minimum: 0, end };
  const result = await compareLogs({ masterAddr, own, lastRecordOffset, partedAt: undefined, timeoutMs: 2000 });
  assert.ok(result.fits);
});

comparison.run();
