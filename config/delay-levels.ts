/**
 * The value of messageDelayLevel as times. Source: spec scheduling 1.1; ScheduleMessageService.parseDelayLevel.
 */

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The delay of level n stands at index n - 1. Units: ms. `text` was checked when the configuration was loaded. */
export function parseDelayLevels(text: string): number[] {
  return text
    .trim()
    .split(/ +/)
    .map(level => Number(level.slice(0, -1)) * unitMs[level.at(-1) as keyof typeof unitMs]);
}
