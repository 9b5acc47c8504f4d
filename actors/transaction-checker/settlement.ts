/**
 * What is done about one half message that is not decided: a copy of it is stored, at the end of its queue or where
 * messages go that are given up, and then its producer is asked about the copy. One at a time: it stands in the
 * reader's memory until it is settled.
 */

import { ResponseCode } from '../../protocol/codes.js';
import { MessageProperty } from '../../protocol/property-names.js';
import type { StoreHost } from '../../protocol/record-copy.js';
import type { Logger } from '../../runtime/log/contract.js';
import { TraceEvent } from '../../runtime/trace/events.js';
import type { FlightRecorder } from '../../runtime/trace/recorder.js';
import type { BrokerAppends } from '../broker-appends.js';
import type { HalfMessage, Place } from './half-message.js';
import type { HalfQueue, Verdict } from './half-queue.js';
import type { Outbox } from './outbox.js';

export type Settling = Extract<Verdict, 'discard' | 'putBack' | 'ask'>;

/** Where a copy goes. */
export interface CopyTarget {
  readonly topic: Uint8Array;
  readonly queueId: number;
  /** Index of the queue's next offset. */
  readonly number: number;
}

export interface Settlement {
  readonly queue: HalfQueue;
  readonly message: HalfMessage;
  readonly what: Settling;
  readonly target: CopyTarget;
  /** Of the copy. */
  readonly properties: Uint8Array;
  /** Unstored: to be given to the writer. Storing: the writer has it. Stored: only the question is missing. */
  state: 'unstored' | 'storing' | 'stored';
  place: Place;
}

export interface SettlerOptions {
  readonly appends: BrokerAppends;
  readonly outbox: Outbox;
  readonly host: StoreHost;
  readonly recorder: FlightRecorder;
  readonly log: Logger;
}

/** What tells one half message from another in the log of the broker. */
export function factsOf({ properties, queueOffset }: HalfMessage): object {
  return {
    transaction: properties.get(MessageProperty.UNIQUE_KEY),
    topic: properties.get(MessageProperty.REAL_TOPIC),
    group: properties.get(MessageProperty.PRODUCER_GROUP),
    halfOffset: queueOffset,
  };
}

export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Whether a copy can be stored at all: it may be larger than this broker takes messages. */
  fits({ message, properties }: Settlement): boolean {
    return this.#options.appends.fits(message.copySizeMax(properties));
  }

  /** Gives the copy to the writer. Errors: false when its ring is full. */
  store(settlement: Settlement): boolean {
    const { appends, host } = this.#options;
    const { message, properties, target } = settlement;
    if (!appends.claim(message.copySizeMax(properties))) return false;
    const end = message.copyTo(appends.bytes, appends.at, target.topic, target.queueId, properties, host);
    appends.commit(end, target.number, 0, this.#traceOf(message));
    settlement.state = 'storing';
    return true;
  }

  /** The trace id of a half message; 0 when it is not traced. */
  #traceOf({ physicalOffset }: HalfMessage): number {
    const { recorder } = this.#options;
    return recorder.isOn ? recorder.messages.find(physicalOffset) : 0;
  }

  /** The writer's result. Returns whether the copy is stored. */
  onResult(settlement: Settlement, code: number, queueOffset: number, physicalOffset: number): boolean {
    settlement.state = code === ResponseCode.SUCCESS ? 'stored' : 'unstored';
    settlement.place = { queueOffset, physicalOffset };
    return settlement.state === 'stored';
  }

  /**
   * Has the producer asked about the stored copy. Returns the size of the question in bytes, 0 when nobody can be
   * asked.
   * Errors: -1 when the ring is full.
   */
  ask({ message, properties, place }: Settlement): number {
    const { outbox, host, recorder, log } = this.#options;
    const group = message.properties.get(MessageProperty.PRODUCER_GROUP);
    const queue = message.realQueue;
    if (group === undefined || queue === undefined) {
      log.warn(factsOf(message), 'a half message does not say whose it is: nobody can be asked');
      return 0;
    }
    const head = { group, fields: message.questionFields(place, host) };
    const sizeMax = message.copySizeMax(properties);
    const outcome = outbox.ask(head, sizeMax, (target, at) =>
      message.questionTo(target, at, queue, properties, place, host),
    );
    if (outcome === 'tooLarge') log.warn(factsOf(message), 'a half message is too large for a question');
    if (outcome === 'full') return -1;
    if (outcome !== 'asked') return 0;
    const traceId = this.#traceOf(message);
    if (traceId !== 0) recorder.note(TraceEvent.asked, traceId, place.physicalOffset);
    return sizeMax;
  }
}
