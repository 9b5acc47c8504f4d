/** What the coordinator accepts besides requests (InboundType of actors/inbound.ts: FRAME, CLOSED). */
export const CoordinatorType = {
  /** An InboundFrame of a send whose topic a lane does not know: make it, tell everybody, send the frame back. */
  TOPIC_NEEDED: 5,
  /** An InboundFrame whose group (field consumerGroup, or group) a lane does not know: the same for the group. */
  GROUP_NEEDED: 6,
  /** An InboundFrame of a message that was tried too often: the same for the topic of its group's dead letters. */
  DEAD_LETTER_TOPIC_NEEDED: 8,
  /** An InboundFrame of a reply: hand it to its producer, then send the frame back, or end it. */
  REPLY: 10,
  /** JSON {group, topic, queueId, offset}: an offset that came with a pull. */
  OFFSET_COMMIT: 7,
  /** JSON {slot, topic, group}: what a slot of the lane's GroupTraffic means. */
  PAIR_NAMED: 9,
} as const;
