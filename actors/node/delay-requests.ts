/**
 * What administrators and slaves ask about delayed messages. The scheduler may run on another thread, so its file
 * answers: it is at most a second behind, and holds nothing that is not on the device.
 * Source: spec scheduling 1.5, ha; AdminBrokerProcessor, ScheduleMessageService.buildRunningStats.
 */
import { RequestCode, ResponseCode } from '../../protocol/codes.js';
import { createResponse, type RemotingCommand } from '../../protocol/command.js';
import { SCHEDULE_TOPIC } from '../../protocol/topic-names.js';
import type { Disk } from '../../storage/disk.js';
import type { StorePaths } from '../../storage/paths.js';
import type { QueueNumbers } from '../queue-numbers.js';
import type { QueueTable } from '../queue-table.js';
import { DelayOffsetFile, formatDelayOffsets } from '../scheduler/delay-offsets.js';

const encoder = new TextEncoder();

export class DelayRequests {
  readonly #file: DelayOffsetFile;
  readonly #numbers: QueueNumbers;
  readonly #table: QueueTable;

  constructor(disk: Disk, paths: StorePaths, numbers: QueueNumbers, table: QueueTable) {
    this.#file = new DelayOffsetFile(disk, paths.config);
    this.#numbers = numbers;
    this.#table = table;
  }

  /** Errors: RingError STORE_CORRUPT when the file cannot be read. */
  answer(request: RemotingCommand): RemotingCommand | undefined {
    if (request.code !== RequestCode.GET_ALL_DELAY_OFFSET) return undefined;
    const body = encoder.encode(formatDelayOffsets(this.#file.read()));
    return createResponse(request, ResponseCode.SUCCESS, null, {}, body);
  }

  /** Keys of runtime information: `scheduleMessageOffset_3` is `<offset>,<maximum>` of level 3. */
  progress(): Record<string, string> {
    const progress: Record<string, string> = {};
    for (const [level, offset] of this.#file.read()) {
      const number = this.#numbers.find(SCHEDULE_TOPIC, level - 1);
      progress[`scheduleMessageOffset_${level}`] = `${offset},${number < 0 ? 0 : this.#table.max(number)}`;
    }
    return progress;
  }
}
