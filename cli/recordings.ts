/**
 * What a broker and its slaves recorded, fetched for `ringmq trace`, on one clock.
 */
import { parseAddress } from '../client/address.js';
import { type ClusterInfo, Connection, MQBrokerError } from '../client/index.js';
import { MASTER_ID } from '../protocol/bodies/route.js';
import { RequestCode, ResponseCode } from '../protocol/codes.js';
import { createRequest } from '../protocol/command.js';
import { messageOf } from '../runtime/base/errors.js';
import type { TraceEventName } from '../runtime/trace/events.js';
import { traceNowMs } from '../runtime/trace/recorder.js';
import type { Recording } from '../runtime/trace/timeline.js';
import { ask, type BrokerPlace, brokersOf, chooseBroker, forEach, REQUEST_TIMEOUT_MS } from './reach.js';

/** A broker and what follows its log. */
export interface TracedGroup {
  readonly broker: BrokerPlace;
  readonly slaves: readonly BrokerPlace[];
}

/** The broker that is meant, the master where a name is given or there is only one name. Errors: CliError. */
export function tracedGroup(info: ClusterInfo, named: string | undefined): TracedGroup {
  const all = brokersOf(info);
  const names = [...new Set(all.map(({ brokerName }) => brokerName))];
  const broker = chooseBroker(info, named ?? (names.length === 1 ? names[0] : undefined));
  const isSlave = ({ brokerName, brokerId, address }: BrokerPlace): boolean =>
    brokerName === broker.brokerName && brokerId !== MASTER_ID && address !== broker.address;
  return { broker, slaves: all.filter(isSlave) };
}

/** The slaves on which `work` came to an end, and for each of the others in words why it did not. */
export async function onSlaves<Result>(
  slaves: readonly BrokerPlace[],
  work: (slave: BrokerPlace) => Promise<Result>,
): Promise<{ readonly done: readonly Result[]; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const results = await forEach(slaves, async slave => {
    try {
      return [await work(slave)];
    } catch (error) {
      const reason = error instanceof MQBrokerError ? `it answered ${error.message}` : messageOf(error);
      faults.push(`the slave ${slave.address} is left out: ${reason}`);
      return [];
    }
  });
  return { done: results.flat(), faults };
}

type Rows = Readonly<Record<string, readonly [number, TraceEventName, number, number, number, number][]>>;

/** What one broker recorded, by its own clock. */
export interface FetchedRecording {
  readonly recording: Recording;
  /** Older events that did not fit into the answer. */
  readonly leftOut: number;
}

export async function fetchRecording(address: string, sinceMs: number): Promise<FetchedRecording> {
  const answer = await ask(address, RequestCode.RINGMQ_GET_TRACE, { sinceMs });
  const rows = JSON.parse(new TextDecoder().decode(answer.body ?? new Uint8Array(0))) as Rows;
  const recording = Object.fromEntries(
    Object.entries(rows).map(([actor, events]) => [
      actor,
      events.map(([timeMs, name, traceId, value, first, second]) => ({ timeMs, name, traceId, value, first, second })),
    ]),
  );
  return { recording, leftOut: Number(answer.extFields.leftOut ?? 0) };
}

/** How far a clock is ahead of another, give or take `boundMs`. Units: ms. */
export interface ClockDifference {
  readonly aheadMs: number;
  readonly boundMs: number;
}

/** A slave's recording, on the clock of the broker it follows. */
export interface SlaveRecording extends FetchedRecording {
  readonly slave: BrokerPlace;
  readonly clock: ClockDifference;
  /** Its times were moved: its clock differs by more than can be an error of asking. */
  readonly moved: boolean;
}

/** Fetches what a slave recorded and puts its times on the clock of `address`. */
export async function fetchSlave(address: string, slave: BrokerPlace, sinceMs: number): Promise<SlaveRecording> {
  const [here, there] = [await readClock(address), await readClock(slave.address)];
  const clock = { aheadMs: there.aheadMs - here.aheadMs, boundMs: there.boundMs + here.boundMs };
  const moved = Math.abs(clock.aheadMs) > clock.boundMs;
  const fetched = await fetchRecording(slave.address, sinceMs);
  const recording = moved ? movedBy(fetched.recording, -clock.aheadMs) : fetched.recording;
  return { ...fetched, recording, slave, clock, moved };
}

const CLOCK_READINGS = 5;

/** How far a broker's clock is ahead of this process's: of several answers the one that was least under way. */
async function readClock(address: string): Promise<ClockDifference> {
  let best: ClockDifference = { aheadMs: 0, boundMs: Number.POSITIVE_INFINITY };
  const connection = await Connection.open({ ...parseAddress(address) });
  try {
    for (let reading = 0; reading < CLOCK_READINGS; reading++) {
      const request = createRequest(RequestCode.RINGMQ_GET_TRACE, { sinceMs: Number.MAX_SAFE_INTEGER });
      const askedMs = traceNowMs();
      const answer = await connection.request(request, REQUEST_TIMEOUT_MS);
      const boundMs = (traceNowMs() - askedMs) / 2;
      if (answer.code !== ResponseCode.SUCCESS) throw new MQBrokerError(answer, address);
      const brokerMs = Number(answer.extFields.nowMs);
      if (boundMs < best.boundMs) best = { aheadMs: brokerMs - askedMs - boundMs, boundMs };
    }
  } finally {
    await connection.close();
  }
  return best;
}

function movedBy(recording: Recording, byMs: number): Recording {
  return Object.fromEntries(
    Object.entries(recording).map(([actor, events]) => [
      actor,
      events.map(event => ({ ...event, timeMs: event.timeMs + byMs })),
    ]),
  );
}

/** What is to be said of the clocks. */
export function clockRemark({ slave, clock, moved }: SlaveRecording): string {
  const ahead = `${Math.abs(clock.aheadMs).toFixed(3)} ms ${clock.aheadMs < 0 ? 'behind' : 'ahead'}`;
  const bound = `${clock.boundMs.toFixed(3)} ms`;
  return moved
    ? `the clock of ${slave.address} is ${ahead}, give or take ${bound}: its times are moved by that`
    : `the clock of ${slave.address} is the same within ${bound}: its times are as it noted them`;
}
