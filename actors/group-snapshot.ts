/**
 * What lanes know of consumer groups: news from the coordinator, which owns them. Plain data: it crosses threads.
 */

export interface GroupSubscription {
  readonly topic: string;
  readonly subString: string;
  readonly subVersion: number;
  readonly expressionType: string;
}

/** An expression that a group filters a topic by; it outlives the members. */
export interface GroupFilter {
  readonly topic: string;
  readonly expression: string;
  readonly expressionType: string;
  /** The subVersion it came with. */
  readonly clientVersion: number;
}

export interface GroupEntry {
  readonly name: string;
  readonly consumeEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  /** Queues of its retry topic; with none, what fails is dropped. */
  readonly retryQueueNums: number;
  /** How often a message is tried again before it is a dead letter, for clients that do not say so themselves. */
  readonly retryMaxTimes: number;
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  /** From the members' heartbeats; undefined while nobody is there, and on send lanes, which need no subscription. */
  readonly members?: {
    readonly messageModel: string;
    readonly subscriptions: readonly GroupSubscription[];
  };
  /** Undefined when there are none. */
  readonly filters?: readonly GroupFilter[];
}

/** The groups a lane was told of, by name. */
export class GroupSnapshot {
  readonly #byName = new Map<string, GroupEntry>();

  /** Adds or replaces a group. */
  put(entry: GroupEntry): void {
    this.#byName.set(entry.name, entry);
  }

  delete(name: string): void {
    this.#byName.delete(name);
  }

  get(name: string): GroupEntry | undefined {
    return this.#byName.get(name);
  }
}
