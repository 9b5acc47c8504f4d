/** Starts the threads of a node, and later those of lanes that are asked for while it runs. */
import type { LaneCounts } from '../lane-counts.js';
import { LaneKeeper } from './lane-keeper.js';
import type { NodeParts } from './stop-node.js';
import type { ThreadHost } from './thread-host.js';
import { MAIN_THREAD, needsEventLoop, type ThreadPlan } from './thread-plan.js';
import type { RoomsData } from './thread-rooms.js';
import type { ActorInstance } from './wiring.js';

/** What all threads of a node need to make their actors. */
export type CommonRoomsData = Omit<RoomsData, 'thread' | 'actors' | 'mayBlock'>;

/** All threads at once: most of a thread's start is waiting for it. Errors: that of the first that failed. */
export async function startThreads(
  plan: ThreadPlan,
  host: ThreadHost,
  common: CommonRoomsData,
  laneCounts: LaneCounts,
): Promise<void> {
  const starts = [...plan.threads]
    .filter(([, actors]) => plan.mode !== 'dedicated' || actors.every(actor => runsFromStart(actor, laneCounts)))
    .map(([thread, actors]) => host.start({ ...common, thread, actors, mayBlock: blocks(thread, actors) }));
  // None is left half started: what fails now is taken down with the others.
  const failed = (await Promise.allSettled(starts)).find(result => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function runsFromStart({ kind, index }: ActorInstance, laneCounts: LaneCounts): boolean {
  return kind !== 'send-lane' && kind !== 'pull-lane' ? true : index < laneCounts.started(kind);
}

/** Lanes that are asked for later. */
export function keepLanes({ shop, host, log }: NodeParts, common: CommonRoomsData): LaneKeeper {
  return new LaneKeeper({
    counts: shop.laneCounts,
    log,
    start: (kind, index) => {
      const thread = `${kind}-${index}`;
      return host.start({ ...common, thread, actors: [{ kind, index, name: thread }], mayBlock: true });
    },
    announce: async () => void (await host.control('coordinator').announce()),
  });
}

function blocks(thread: string, actors: readonly ActorInstance[]): boolean {
  return thread !== MAIN_THREAD && !needsEventLoop(actors);
}
