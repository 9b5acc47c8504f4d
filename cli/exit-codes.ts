/**
 * What the programs end with; docs/cli.md says it for users.
 *
 * Source: spec/properties.md section 2; shells show RocketMQ's -1 and -3 as 255 and 253.
 */
export const ExitCode = {
  /** Done; a command that goes on until Ctrl-C (`--watch`, `pull --follow`) ends with it too. */
  OK: 0,
  /**
   * A command that failed, and a node that could not go on. Nothing of that name, nothing found, nobody online, a
   * refusal of the broker, a server that cannot be reached, a deletion without --yes: all of them are failures.
   */
  FAILED: 1,
  BAD_COMMAND_LINE: 1,
  /** Bad namesrvAddr, a role that cannot be, a store that cannot be opened. */
  NOT_INITIALISED: 253,
  /** No such configuration file, a bad value in it, port in use, store in use. */
  NOT_STARTED: 255,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
