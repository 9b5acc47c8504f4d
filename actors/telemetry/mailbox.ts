/**
 * What the telemetry room accepts: notes of what happened to messages whose senders trace them. The message itself is
 * in the log, where the room reads it. All words are 32-bit in the machine's order, because they never leave the
 * process.
 */

/** Record types in the telemetry room's rings. */
export const NoteType = {
  /** A send of one or more messages was answered. Source: sent by remoting. */
  STORED: 1,
  /** One message was handed to a group, whose name follows the fixed part. Source: sent by pull lanes. */
  DELIVERED: 2,
} as const;

/**
 * Times in us since the epoch; physical offset and size, in bytes, of all records of a send or of the one delivered.
 * Units: words, bytes.
 */
export const Note = {
  physicalOffsetLow: 0,
  physicalOffsetHigh: 1,
  size: 2,
  startLow: 3,
  startHigh: 4,
  endLow: 5,
  endHigh: 6,
  /** Of a send: the code it was answered with. */
  code: 7,
  groupBytes: 32,
} as const;

/** What the room is made from. Plain data. */
export interface TelemetrySettings {
  /** Base address of an OTLP/HTTP collector: `/v1/traces` is added. */
  readonly otlpEndpoint: string;
  /** How many of the traces that clients record are joined. Units: percent. */
  readonly otlpSampleRatio: number;
  readonly brokerClusterName: string;
  readonly brokerName: string;
  readonly brokerId: number;
}
