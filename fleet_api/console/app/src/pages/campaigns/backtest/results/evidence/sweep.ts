// A sweep as its chart and its table have it: the points of a trigger, and the curve of its rate over numbers.
import type { Series } from "../../../../../components/chart/charts";
import type { SweepResult } from "../types";

type Figures = SweepResult["points"][number]["triggers"][string];
export type SweptPoint = Figures & { value: string; number: number | null; isOwn: boolean };

/** A trigger at each value, in the order of the values. */
export function pointsOf(sweep: SweepResult, trigger: string): SweptPoint[] {
  return sweep.points.flatMap(({ value, number, is_own: isOwn, triggers }) => {
    const figures = triggers[trigger];
    return figures ? [{ ...figures, value, number, isOwn }] : [];
  });
}

/** Fires per hour with their interval over the values; null where these are no numbers, which the table has in their order. */
export function curveOf(points: readonly SweptPoint[]): { x: number[]; own: number | null; series: Series } | null {
  const x = points.flatMap(({ number }) => number ?? []);
  if (x.length !== points.length || x.length < 2) return null;
  const of = (end: "mean" | "low" | "high") => points.map(({ per_hour: rate }) => rate?.[end] ?? null);
  return {
    x,
    own: points.find(({ isOwn }) => isOwn)?.number ?? null,
    series: { name: "per_hour", title: "Fires per hour", values: of("mean"), low: of("low"), high: of("high") },
  };
}
