/**
 * Judges what the members of a consumer group consumed against what was sent, whoever had which queue when. Knows
 * nothing of sockets or processes: a rig notes sends, reads the journals of its members, and asks for a report.
 *
 * How often a message may come again. A member tells the broker how far a queue is consumed with every pull, so what it
 * consumed and the broker does not know yet is at most what it had in memory at that pull and what the pull brought:
 * `pullThresholdForQueue` + `pullBatchSize` messages. Whoever has the queue next begins no further back than that, once
 * for each time a member takes a queue. That is the bound on the duplicates. A member that has not yet heard that its
 * queue is another's may go on meanwhile; those are the same messages, consumed by both.
 */

export interface SentMessage {
  readonly id: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** One call of a listener with one message. */
export interface Consumption extends SentMessage {
  /** One life of one member. */
  readonly member: string;
  /** On a clock that all members share. Units: ns. */
  readonly beginNs: bigint;
  /** undefined: the member died meanwhile. */
  readonly endNs: bigint | undefined;
}

/** What is wrong, in words, a list a promise. */
export interface ConsumptionFaults {
  /** Sent, and no listener ended with it. */
  readonly lost: string[];
  /** Consumed, and never sent. */
  readonly unknown: string[];
  /** Consumed at another place than the one it was sent to. */
  readonly misplaced: string[];
  /** A member went back by more than at-least-once allows. */
  readonly replayed: string[];
  /** More came again than the bound for all. */
  readonly repeated: string[];
  /** In order: a message whose predecessor was not consumed yet. */
  readonly swapped: string[];
  /** In order: two members at work on one queue. */
  readonly overlapped: string[];
}

export interface ConsumptionReport {
  readonly sent: number;
  readonly consumed: number;
  readonly duplicates: number;
  /** How often a member took a queue that another one had before. */
  readonly handovers: number;
  readonly duplicatesMax: number;
  /** Furthest way back of a handover. Units: messages. */
  readonly longestReplay: number;
  readonly faults: ConsumptionFaults;
  readonly faultCount: number;
}

export interface ConsumptionRules {
  readonly order: boolean;
  /** pullThresholdForQueue + pullBatchSize. */
  readonly replayMax: number;
  /** When members were killed, by member. Units: ns. */
  readonly killedNs: ReadonlyMap<string, bigint>;
}

/** Judges one group. */
export function judgeConsumption(
  sent: readonly SentMessage[],
  consumptions: readonly Consumption[],
  rules: ConsumptionRules,
): ConsumptionReport {
  const faults: ConsumptionFaults = {
    lost: [],
    unknown: [],
    misplaced: [],
    replayed: [],
    repeated: [],
    swapped: [],
    overlapped: [],
  };
  const consumed = checkSet(sent, consumptions, faults);
  let handovers = 0;
  let longestReplay = 0;
  for (const [queueId, ofQueue] of byQueue(consumptions)) {
    const replays = replaysOf(ofQueue);
    handovers += replays.length;
    for (const { member, from, length } of replays) {
      longestReplay = Math.max(longestReplay, length);
      if (length > rules.replayMax) faults.replayed.push(`queue ${queueId}: ${member} went ${length} back to ${from}`);
    }
    if (rules.order) checkOrder(queueId, ofQueue, rules.killedNs, faults);
  }
  const duplicates = consumptions.length - consumed;
  const duplicatesMax = handovers * rules.replayMax;
  if (duplicates > duplicatesMax) faults.repeated.push(`${duplicates} duplicates, ${duplicatesMax} are allowed`);
  return {
    sent: sent.length,
    consumed,
    duplicates,
    handovers,
    duplicatesMax,
    longestReplay,
    faults,
    faultCount: Object.values(faults).reduce((sum: number, list: string[]) => sum + list.length, 0),
  };
}

/** Returns how many different messages were consumed. */
function checkSet(
  sent: readonly SentMessage[],
  consumptions: readonly Consumption[],
  faults: ConsumptionFaults,
): number {
  const places = new Map(sent.map(message => [message.id, message]));
  const seen = new Set<string>();
  const ended = new Set<string>();
  for (const { id, queueId, queueOffset, endNs, member } of consumptions) {
    const place = places.get(id);
    if (place === undefined) faults.unknown.push(`${id} at ${queueId}@${queueOffset}, by ${member}`);
    else if (place.queueId !== queueId || place.queueOffset !== queueOffset) {
      faults.misplaced.push(`${id} of ${place.queueId}@${place.queueOffset} at ${queueId}@${queueOffset}`);
    }
    seen.add(id);
    if (endNs !== undefined) ended.add(id);
  }
  for (const { id, queueId, queueOffset } of sent) {
    if (!ended.has(id)) faults.lost.push(`${id} of ${queueId}@${queueOffset}`);
  }
  return seen.size;
}

/** The consumptions of each queue in the order in which they began. */
function byQueue(consumptions: readonly Consumption[]): Map<number, Consumption[]> {
  const queues = new Map<number, Consumption[]>();
  for (const each of consumptions) {
    const queue = queues.get(each.queueId);
    if (queue === undefined) queues.set(each.queueId, [each]);
    else queue.push(each);
  }
  for (const queue of queues.values())
    queue.sort((a, b) => (a.beginNs < b.beginNs ? -1 : a.beginNs > b.beginNs ? 1 : 0));
  return queues;
}

interface Replay {
  readonly member: string;
  readonly from: number;
  readonly length: number;
}

/**
 * Each time a member began with a queue where it had not ended, and how far that was behind what all had consumed. A
 * member calls its listener in the order of the queue, so it begins anew where its offsets do not go on by one.
 */
function replaysOf(consumptions: readonly Consumption[]): Replay[] {
  const replays: Replay[] = [];
  const lastOf = new Map<string, number>();
  let next = 0;
  for (const { member, queueOffset } of consumptions) {
    const last = lastOf.get(member);
    if (queueOffset !== (last ?? -1) + 1 || (last === undefined && next > 0)) {
      replays.push({ member, from: queueOffset, length: Math.max(0, next - queueOffset) });
    }
    lastOf.set(member, queueOffset);
    next = Math.max(next, queueOffset + 1);
  }
  return replays;
}

/** One message begins when the one before it is consumed, and never while another member is at the queue. */
function checkOrder(
  queueId: number,
  consumptions: readonly Consumption[],
  killedNs: ReadonlyMap<string, bigint>,
  faults: ConsumptionFaults,
): void {
  /** Ends of what is consumed, by offset; a message counts from its first end on. */
  const endedNs = new Map<number, bigint>();
  for (const { queueOffset, endNs } of consumptions) {
    const before = endedNs.get(queueOffset);
    if (endNs !== undefined && (before === undefined || endNs < before)) endedNs.set(queueOffset, endNs);
  }
  /** When the queue is free again; undefined: never. */
  let freeNs: bigint | undefined = 0n;
  let busy = '';
  for (const each of consumptions) {
    const { member, queueOffset, beginNs } = each;
    const before = endedNs.get(queueOffset - 1);
    if (queueOffset > 0 && (before === undefined || before > beginNs)) {
      faults.swapped.push(`queue ${queueId}: ${member} began ${queueOffset} before ${queueOffset - 1} was consumed`);
    }
    if (freeNs === undefined || freeNs > beginNs) {
      faults.overlapped.push(`queue ${queueId}: ${member} at ${queueOffset}, ${busy}`);
    }
    const overNs = each.endNs ?? killedNs.get(member);
    if (freeNs === undefined || (overNs !== undefined && overNs < freeNs)) continue;
    freeNs = overNs;
    busy = `${member} at ${queueOffset}`;
  }
}

/** For people: one line of counts, then at most a few faults of each kind. */
export function formatConsumption(report: ConsumptionReport, faultsShown = 5): string {
  const { sent, consumed, duplicates, duplicatesMax, handovers, longestReplay, faults } = report;
  const lines = [
    `sent ${sent}, consumed ${consumed}, duplicates ${duplicates} of at most ${duplicatesMax} ` +
      `(${handovers} handovers, longest way back ${longestReplay}), faults ${report.faultCount}`,
  ];
  for (const [kind, list] of Object.entries(faults) as [string, string[]][]) {
    for (const fault of list.slice(0, faultsShown)) lines.push(`  ${kind}: ${fault}`);
    if (list.length > faultsShown) lines.push(`  ${kind}: and ${list.length - faultsShown} more`);
  }
  return lines.join('\n');
}
