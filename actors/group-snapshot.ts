/**
 * What pull lanes know of consumer groups: news from the coordinator, which owns them. Plain data: it crosses threads.
 */

export interface GroupSubscription {
  readonly topic: string;
  /** Tags; empty for an expression, which is among the filters. */
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
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  /** From the members' heartbeats; undefined while nobody is there. */
  readonly members?: {
    readonly messageModel: string;
    readonly subscriptions: readonly GroupSubscription[];
  };
  /** Undefined when there are none. */
  readonly filters?: readonly GroupFilter[];
}
