/**
 * The architecture as data: every actor, every ring and every position with its one writer. The node allocates memory
 * from it, `ringmq wiring` prints and draws it, and a test holds the drawing in docs/ to it.
 */
import type { PositionName } from '../../runtime/memory/positions.js';

/** Kinds of actors; lanes have several of a kind. */
export const actorKinds = {
  remoting: 'sockets on one side, rings on the other; holds answers back until what they promise is true',
  'send-lane': 'all of a send that costs CPU: header, limits, properties, CRC, the finished record',
  'commit-log-writer': 'the only writer of the log and owner of queue offsets',
  'flush-service': 'puts the log on the device',
  dispatcher: 'follows the log and builds the consume queues',
  scheduler: 'delivers delayed messages when they are due',
  'pull-lane': 'answers pulls from consume queues and log; holds those that find nothing',
  'transaction-checker': 'asks producers about half messages that are not decided, gives up those nobody decides',
  forwarder: 'on a broker that was the master a moment ago, sends on what is meant for the new one',
  coordinator: 'topics, groups, offsets, heartbeats, administration; registers with name servers',
  'ha-sender': 'sends the log to the slaves that connect',
  'ha-receiver': "follows the master's log, on a slave",
  'name-registry': 'the name server: brokers, routes, key-value configuration',
  telemetry: 'spans of messages whose senders trace them, to an OTLP collector; only where key otlpEndpoint is set',
} as const;

export type ActorKind = keyof typeof actorKinds;

/** How large a ring is: by configuration, or fixed for what is small and rare. Units: bytes. */
export const ringSizes = {
  /** ringCapacityBytes: holds whole messages. */
  messages: 0,
  /** Results and answers of administration. */
  medium: 4 * 1024 * 1024,
  small: 64 * 1024,
} as const;

export interface RingRow {
  readonly from: ActorKind;
  readonly to: ActorKind;
  /** What travels on it. */
  readonly carries: string;
  readonly size: keyof typeof ringSizes;
}

/** Every ring. Where an end is a lane there is one for each lane. */
export const ringTable: readonly RingRow[] = [
  { from: 'remoting', to: 'send-lane', carries: 'send requests', size: 'messages' },
  { from: 'remoting', to: 'pull-lane', carries: 'pull and query requests', size: 'messages' },
  { from: 'remoting', to: 'coordinator', carries: 'other requests, closed connections', size: 'messages' },
  { from: 'remoting', to: 'name-registry', carries: 'name server requests, closed connections', size: 'messages' },
  { from: 'send-lane', to: 'commit-log-writer', carries: 'finished records', size: 'messages' },
  { from: 'send-lane', to: 'remoting', carries: 'refusals', size: 'medium' },
  { from: 'send-lane', to: 'coordinator', carries: 'sends whose topic is unknown', size: 'messages' },
  { from: 'commit-log-writer', to: 'remoting', carries: 'append results', size: 'medium' },
  { from: 'commit-log-writer', to: 'scheduler', carries: 'append results', size: 'medium' },
  { from: 'scheduler', to: 'commit-log-writer', carries: 'due messages', size: 'messages' },
  { from: 'dispatcher', to: 'pull-lane', carries: 'awaited queues that grew', size: 'small' },
  { from: 'pull-lane', to: 'remoting', carries: 'answers with messages', size: 'messages' },
  { from: 'pull-lane', to: 'coordinator', carries: 'pulls whose group is unknown, offset commits', size: 'messages' },
  { from: 'transaction-checker', to: 'commit-log-writer', carries: 'copies of half messages', size: 'messages' },
  { from: 'commit-log-writer', to: 'transaction-checker', carries: 'append results', size: 'small' },
  { from: 'transaction-checker', to: 'coordinator', carries: 'questions for producers, progress', size: 'messages' },
  { from: 'coordinator', to: 'transaction-checker', carries: 'news of topics, progress', size: 'medium' },
  { from: 'coordinator', to: 'remoting', carries: 'answers, notifications', size: 'messages' },
  { from: 'coordinator', to: 'send-lane', carries: 'news of topics and groups, returned sends', size: 'messages' },
  { from: 'coordinator', to: 'pull-lane', carries: 'news of topics and groups, returned pulls', size: 'messages' },
  { from: 'coordinator', to: 'dispatcher', carries: 'news of topics', size: 'medium' },
  { from: 'coordinator', to: 'scheduler', carries: 'news of topics', size: 'medium' },
  { from: 'coordinator', to: 'flush-service', carries: 'changed settings', size: 'small' },
  { from: 'coordinator', to: 'ha-receiver', carries: 'where the master is', size: 'small' },
  { from: 'dispatcher', to: 'coordinator', carries: "a slave's queues without a number", size: 'small' },
  { from: 'ha-receiver', to: 'commit-log-writer', carries: "the master's records", size: 'messages' },
  { from: 'ha-receiver', to: 'coordinator', carries: 'how replication stands', size: 'small' },
  { from: 'ha-sender', to: 'coordinator', carries: 'how slaves stand', size: 'small' },
  { from: 'remoting', to: 'forwarder', carries: 'requests for the new master', size: 'messages' },
  { from: 'forwarder', to: 'remoting', carries: "the new master's answers, what was not passed on", size: 'messages' },
  { from: 'forwarder', to: 'coordinator', carries: 'that there is a new master', size: 'small' },
  { from: 'name-registry', to: 'remoting', carries: 'answers', size: 'messages' },
  { from: 'remoting', to: 'telemetry', carries: 'traced messages that were stored', size: 'small' },
  { from: 'pull-lane', to: 'telemetry', carries: 'traced messages that were handed out', size: 'small' },
];

export interface PositionRow {
  readonly name: PositionName;
  readonly writer: ActorKind;
  readonly followers: readonly ActorKind[];
  readonly meaning: string;
}

export const positionTable: readonly PositionRow[] = [
  {
    name: 'minimum',
    writer: 'commit-log-writer',
    followers: [
      'flush-service',
      'dispatcher',
      'scheduler',
      'pull-lane',
      'transaction-checker',
      'ha-sender',
      'ha-receiver',
      'telemetry',
    ],
    meaning: 'start of the log',
  },
  {
    name: 'appended',
    writer: 'commit-log-writer',
    followers: [
      'flush-service',
      'dispatcher',
      'scheduler',
      'pull-lane',
      'transaction-checker',
      'ha-sender',
      'ha-receiver',
    ],
    meaning: 'end of what can be read',
  },
  {
    name: 'flushed',
    writer: 'flush-service',
    followers: ['remoting', 'dispatcher', 'scheduler', 'transaction-checker'],
    meaning: 'end of what is on the device',
  },
  { name: 'replicated', writer: 'ha-sender', followers: ['remoting'], meaning: 'end of what one slave at least has' },
  {
    name: 'dispatched',
    writer: 'dispatcher',
    followers: ['scheduler'],
    meaning: 'end of what consume queues point to',
  },
];

/** One running actor: `send-lane-1`, or the name of its kind where there is only one. */
export interface ActorInstance {
  readonly kind: ActorKind;
  readonly name: string;
  /** Number among the lanes of its kind. */
  readonly index: number;
}

export interface RingInstance {
  /** `remoting>send-lane-1`. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly row: RingRow;
}

export interface WiringPlan {
  readonly broker: boolean;
  readonly nameRegistry: boolean;
  readonly sendLanes: number;
  readonly pullLanes: number;
  /** Default false. */
  readonly telemetry?: boolean;
}

/** The actors of a node. */
export function planActors(plan: WiringPlan): ActorInstance[] {
  const actors: ActorInstance[] = [];
  for (const kind of Object.keys(actorKinds) as ActorKind[]) {
    const count = countOf(kind, plan);
    const isLane = kind === 'send-lane' || kind === 'pull-lane';
    for (let index = 0; index < count; index++) actors.push({ kind, index, name: isLane ? `${kind}-${index}` : kind });
  }
  return actors;
}

function countOf(kind: ActorKind, plan: WiringPlan): number {
  if (kind === 'remoting') return 1;
  if (kind === 'name-registry') return plan.nameRegistry ? 1 : 0;
  if (!plan.broker) return 0;
  if (kind === 'send-lane') return plan.sendLanes;
  if (kind === 'pull-lane') return plan.pullLanes;
  if (kind === 'telemetry') return plan.telemetry === true ? 1 : 0;
  return 1;
}

/** The rings between these actors. */
export function planRings(actors: readonly ActorInstance[]): RingInstance[] {
  return ringTable.flatMap(row =>
    actors
      .filter(actor => actor.kind === row.from)
      .flatMap(from =>
        actors
          .filter(actor => actor.kind === row.to)
          .map(to => ({ id: ringId(from.name, to.name), from: from.name, to: to.name, row })),
      ),
  );
}

export function ringId(from: string, to: string): string {
  return `${from}>${to}`;
}

/** The drawing of docs/ARCHITECTURE.md. */
export function drawWiring(): string {
  const lines = [
    'flowchart LR',
    '  sockets((sockets)) <--> remoting',
    '  slaves((slaves)) <--> ha-sender',
    '  master((master)) <--> ha-receiver',
    '  master((master)) <--> forwarder',
  ];
  for (const { from, to, carries } of ringTable) lines.push(`  ${from} -- "${carries}" --> ${to}`);
  for (const { name, writer, followers } of positionTable) {
    for (const follower of followers) lines.push(`  ${writer} -. ${name} .-> ${follower}`);
  }
  return `${lines.join('\n')}\n`;
}
