/**
 * What pull lanes know of consumer groups: news from the coordinator, which owns them. Plain data: it crosses threads.
 */

export interface GroupSubscription {
  readonly topic: string;
  readonly subString: string;
  readonly subVersion: number;
  readonly expressionType: string;
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
}
