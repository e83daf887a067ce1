// The signals around a fire: which part of the drive is asked for, and the answer as what is plotted.
import { Turns } from "../../../../../api/turns";
import type { Schemas } from "../../../../../api/types";
import { plottable, type Signals } from "../../../../../components/signals/plots";
import type { Fire } from "./fires";

/** The turns of looks at drives, of which a user has one at a time. */
export const looks = new Turns();
/** The API's limit of one answer. */
const MOST_NS = 3600e9;

/** How much is shown around a fire: its capture window and a little more, or so many seconds before and after. */
export function spanOf(fire: Fire, aroundS: number | null): { from_ns: number; to_ns: number } {
  const [before, after] = [fire.t_ns - fire.start_ns, fire.end_ns - fire.t_ns];
  const margin = 0.25 * (before + after) + 1e9;
  const [from, to] = aroundS === null ? [before + margin, after + margin] : [aroundS * 1e9, aroundS * 1e9];
  const share = Math.min(1, MOST_NS / (from + to));
  return { from_ns: Math.max(0, Math.round(fire.t_ns - share * from)), to_ns: Math.round(fire.t_ns + share * to) };
}

/** The series of an answer as columns on one axis of time, in s before and after the fire. */
export function signalsAround(view: Schemas["SignalsView"], fire: Fire): Signals {
  const from = (view.from_ns - view.first_ns) / 1e9;
  const at = (t: number) => Math.max(t, from); // the last sample before the part is what holds where it begins
  const times = [...new Set(view.series.flatMap((series) => series.t_s.map(at)))].sort((a, b) => a - b);
  const rows = new Map(times.map((t, row) => [t, row]));
  const columns = new Map<string, (number | null)[]>();
  for (const series of view.series) {
    const column: (number | null)[] = times.map(() => null);
    for (const [index, t] of series.t_s.entries()) column[rows.get(at(t)) ?? 0] = series.value[index] ?? Number.NaN;
    columns.set(series.name, column);
  }
  const texts = new Map(view.series.filter((series) => series.type === "text").map((series) => [series.name, series.values]));
  return { t: times.map((t) => t - fire.t_s), columns, texts };
}

/** What can be plotted of a signal catalog's signals: a compared head once, and the others. */
export function offered(signals: readonly string[]): string[] {
  return plottable({ t: [], columns: new Map(signals.map((name) => [name, []])) });
}

/** The signals to ask for, of those that a catalog has: a compared head has two, others one. */
export function namesOf(chosen: readonly string[], signals: readonly string[]): string[] {
  return chosen.flatMap((name) => (signals.includes(name) ? [name] : [`active.${name}`, `shadow.${name}`])).filter((name) => signals.includes(name));
}
