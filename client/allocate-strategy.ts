/**
 * How the queues of a topic are divided among the members of a group. Every member computes the whole division for
 * itself, so all must use the same strategy; queues and members come sorted. Source: spec remoting 7.3.
 */
import type { MessageQueue } from '../protocol/bodies/message-queue.js';

/** The queues that fall to `clientId`; none when it is not among the members. */
export type AllocateMessageQueueStrategy = (
  consumerGroup: string,
  clientId: string,
  queues: readonly MessageQueue[],
  clientIds: readonly string[],
) => readonly MessageQueue[];

/** Neighbouring queues to each, as even as can be. What Java does unless told otherwise. */
export const allocateMessageQueueAveragely: AllocateMessageQueueStrategy = (_group, clientId, queues, clientIds) => {
  const index = clientIds.indexOf(clientId);
  if (index < 0) return [];
  const [size, rest] = [Math.floor(queues.length / clientIds.length), queues.length % clientIds.length];
  const start = index * size + Math.min(index, rest);
  return queues.slice(start, start + size + (index < rest ? 1 : 0));
};

/** One queue to each in turn, again and again. */
export const allocateMessageQueueAveragelyByCircle: AllocateMessageQueueStrategy = (
  _group,
  clientId,
  queues,
  clientIds,
) => {
  const index = clientIds.indexOf(clientId);
  return index < 0 ? [] : queues.filter((_, at) => at % clientIds.length === index);
};
