// What sweep.ts promises: a trigger's points in the order of the values, and a curve where the values are numbers.
import { expect, it } from "vitest";
import { curveOf, pointsOf } from "./sweep";
import type { SweepResult } from "../types";

const figures = (mean: number) => ({
  fires: mean,
  per_hour: { mean, low: mean / 2, high: mean * 2 },
  recordings: mean,
  recording_bytes: 1000 * mean,
  bytes_per_vehicle_day: null,
  both: 0,
  only_here: 0,
  only_own: 0,
  ratio: { estimate: null, low: 0, high: null },
});
const point = (value: string, number: number | null, mean: number, is_own = false) => ({ value, number, is_own, programs: [], triggers: { brake: figures(mean) }, budgets: [] });
const sweep = (points: SweepResult["points"]): SweepResult => ({ param: "hold", unit: "ms", drives: 1, hours: 1, moved: ["brake"], unmoved: [], points });

it("has a curve over numbers, with the ends of intervals and the text's own value", () => {
  const points = pointsOf(sweep([point("100 ms", 100, 8), point("300 ms", 300, 4, true)]), "brake");
  expect(points.map(({ value, fires, isOwn }) => [value, fires, isOwn])).toEqual([["100 ms", 8, false], ["300 ms", 4, true]]);
  const curve = curveOf(points);
  expect([curve?.x, curve?.own, curve?.series.values, curve?.series.low, curve?.series.high]).toEqual([[100, 300], 300, [8, 4], [4, 2], [16, 8]]);
});
it("has none over texts, nor of a trigger that is not in the points", () => {
  expect(curveOf(pointsOf(sweep([point('"a"', null, 8, true), point('"b"', null, 4)]), "brake"))).toBeNull();
  expect(pointsOf(sweep([point("100 ms", 100, 8, true)]), "other")).toEqual([]);
});
