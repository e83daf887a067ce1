// Label jobs as a page shows them: a queue for each task, and how many jobs end a day.

export interface Queue {
  task: string;
  /** How many jobs are in each state. */
  states: Record<string, number>;
}

export function queuesOf(tasks: Record<string, Record<string, number>>): Queue[] {
  return Object.entries(tasks)
    .map(([task, states]) => ({ task, states }))
    .sort((a, b) => a.task.localeCompare(b.task, "en"));
}

const DAY_S = 86_400;

/** How many of these times are in each day (UTC), from the first day to the last; days as s since the epoch. */
export function perDay(times: readonly (string | null)[]): { x: number[]; counts: number[] } {
  const days = times.flatMap((time) => (time === null ? [] : [Math.floor(Date.parse(time) / 1000 / DAY_S)]));
  if (days.length === 0) return { x: [], counts: [] };
  const first = Math.min(...days);
  const counts = new Array<number>(Math.max(...days) - first + 1).fill(0);
  for (const day of days) counts[day - first] = (counts[day - first] ?? 0) + 1;
  return { x: counts.map((_, index) => (first + index) * DAY_S), counts };
}
