// Bytes per day: the days of a period, the groups with most of them as series, and all others together.
import type { Series } from "../../components/chart/charts";
import type { Schemas } from "../../api/types";

export type Usage = Schemas["UsageView"];
export const KEYS = ["campaign", "network", "region"] as const;
export type Key = (typeof KEYS)[number];
export const MEASURES = ["wire_bytes", "clip_bytes"] as const;
export type Measure = (typeof MEASURES)[number];
export const PERIODS_DAYS = [7, 30, 90, 365] as const;
/** As many series as there are colours, of which the last is that of all others. */
const MAX_SERIES = 8;
const DAY_S = 86_400;

/** What one group used in the whole period. */
export interface Total {
  name: string;
  wire_bytes: number;
  clip_bytes: number;
  kept_fires: number;
}

/** One of `values`, or the first, if the address has none of them. */
export function oneOf<T extends string | number>(values: readonly [T, ...T[]], text: string | null): T {
  return values.find((value) => String(value) === text) ?? values[0];
}

/** The days (UTC) of the last `days` days, today included, as s since the epoch. */
export function daysUntil(now: Date, days: number): number[] {
  const today = Math.floor(now.getTime() / 1000 / DAY_S) * DAY_S;
  return Array.from({ length: days }, (_, index) => today - (days - 1 - index) * DAY_S);
}

/** The name of a group as it is shown; usage without one is not left out. */
export function nameOf(usage: Usage, key: Key): string {
  return usage[key] || `(no ${key})`;
}

/** What each group used, the largest first by `measure`. */
export function totals(groups: readonly Usage[], key: Key, measure: Measure): Total[] {
  const found = new Map<string, Total>();
  for (const group of groups) {
    const name = nameOf(group, key);
    const total = found.get(name) ?? { name, wire_bytes: 0, clip_bytes: 0, kept_fires: 0 };
    total.wire_bytes += group.wire_bytes;
    total.clip_bytes += group.clip_bytes;
    total.kept_fires += group.kept_fires;
    found.set(name, total);
  }
  return [...found.values()].sort((a, b) => b[measure] - a[measure] || a.name.localeCompare(b.name));
}

/** A series for each of the largest groups, and one for all others, whose values add up to everything on each day. */
export function seriesOf(groups: readonly Usage[], days: readonly number[], key: Key, measure: Measure): Series[] {
  const names = totals(groups, key, measure)
    .filter((total) => total[measure] > 0)
    .map((total) => total.name);
  const own = names.length > MAX_SERIES ? names.slice(0, MAX_SERIES - 1) : names;
  const others = names.length - own.length;
  const at = new Map(days.map((day, index) => [day, index]));
  const values = new Map<string, number[]>();
  for (const group of groups) {
    const name = nameOf(group, key);
    const place = own.includes(name) ? name : "";
    const index = at.get(Date.parse(group.day ?? "") / 1000);
    if (index === undefined) throw new Error(`usage of ${group.day} was not asked for`);
    const line = values.get(place) ?? days.map(() => 0);
    line[index] = (line[index] ?? 0) + group[measure];
    values.set(place, line);
  }
  const series = own.map((name) => ({ name, title: name, values: values.get(name) ?? [] }));
  if (others === 0) return series;
  return [...series, { name: "others", title: `${others} others`, values: values.get("") ?? [] }];
}
