// The burn-down of a campaign's budget: what was spent, what is expected with its band, and the limit, on one time axis.
import type { Series } from "../../components/chart/charts";
import type { Schemas } from "../../api/types";

export type Forecast = Schemas["ForecastView"];
export type Point = readonly [at: number, value: number];
export interface Burn {
  x: number[];
  series: Series[];
}

/** The chart of a forecast and of those that were kept before it, whose `spent` is what had been spent when they were made.
 *
 * The expected line and its band go straight from what was spent to the end of the plan without the limit, by way of the
 * times at which they reach the limit, where the forecast has these. A plan that the limit ends much earlier is drawn as
 * far again as it takes until then at the latest.
 */
export function burnOf(forecast: Forecast, kept: readonly Forecast[], now: Date): Burn {
  const made = secondsOf(forecast.made_at);
  const mine = kept.filter((each) => each.unit === forecast.unit && each.version === forecast.version);
  const past: Point[] = mine.map((each) => [secondsOf(each.made_at), each.spent] as const).filter(([at]) => at <= made);
  past.sort(([a], [b]) => a - b);
  const spent = [...past, [Math.max(made, now.getTime() / 1000), forecast.spent] as const];
  const start: Point = past.at(-1) ?? [made, forecast.spent];
  const until = secondsOf(forecast.until);
  const line = (reached: string | null | undefined, end: number | null): Point[] | null => {
    if (end === null) return null;
    const crossing: Point[] = reached && forecast.limit !== null ? [[secondsOf(reached), forecast.limit]] : [];
    return [start, ...crossing.filter(([at]) => at > start[0] && at < until), [until, end]];
  };
  const { demand, end } = forecast;
  const lines = {
    mean: line(end?.expected, demand.mean),
    low: line(end?.latest, demand.low),
    high: line(end?.earliest, demand.high),
  };
  const points = [...spent, ...[lines.mean, lines.low, lines.high].flatMap((each) => each ?? [])];
  const last = end?.latest ? Math.min(until, 2 * secondsOf(end.latest) - start[0]) : until;
  const x = [...new Set([...points.map(([at]) => at).filter((at) => at <= last), last])].sort((a, b) => a - b);
  const values = (of: readonly Point[] | null) => x.map((at) => (of === null ? null : valueAt(of, at)));
  const series: Series[] = [
    { name: "spent", title: "spent", values: values(spent) },
    {
      name: "expected",
      title: lines.high === null ? "expected without the limit" : "expected without the limit, with its 90 % interval",
      values: values(lines.mean),
      ...(lines.high === null ? {} : { low: values(lines.low), high: values(lines.high) }),
    },
  ];
  if (forecast.limit !== null) series.push({ name: "limit", title: "limit", values: x.map(() => forecast.limit), colour: 5 });
  return { x, series };
}

/** The value of a polyline; null before it begins and after it ends. */
export function valueAt(points: readonly Point[], at: number): number | null {
  for (const [index, [after, high]] of points.entries()) {
    if (after < at) continue;
    if (after === at) return high;
    const before = points[index - 1];
    if (before === undefined) return null;
    return before[1] + ((high - before[1]) * (at - before[0])) / (after - before[0]);
  }
  return null;
}

function secondsOf(time: string): number {
  return Date.parse(time) / 1000;
}
