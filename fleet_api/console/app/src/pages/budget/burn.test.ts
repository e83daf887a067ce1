// What burn.ts promises: past points are those measured, and the expected line and its band meet the limit when the API says so.
import { expect, it } from "vitest";
import { burnOf, valueAt, type Forecast } from "./burn";

const day = (number: number) => new Date(Date.UTC(2026, 0, number)).toISOString();
const at = (number: number) => Date.UTC(2026, 0, number) / 1000;
function forecast(made: number, spent: number, more: Partial<Forecast> = {}): Forecast {
  const estimate = { mean: 100, low: 80, high: 140 };
  return {
    campaign: "braking", version: 1, unit: "bytes", made_at: day(made), until: day(21), open_ended: false, stage: "first_half",
    from_backtest: false, spent, limit: 90, per_day: estimate, remaining: estimate, total: { mean: 90, low: 80, high: 90 },
    demand: estimate, end: { expected: day(17), earliest: day(13), latest: null }, factor: 1, actual: null, ...more,
  } as Forecast;
}

it("draws what was spent when forecasts were made, then what is spent now", () => {
  const kept = [forecast(11, 40), forecast(6, 20), forecast(6, 7, { unit: "clips" }), forecast(3, 9, { version: 2 })];
  const { x, series } = burnOf(forecast(11, 44), kept, new Date(day(12)));
  expect(x).toEqual([at(6), at(11), at(12), at(13), at(17), at(21)]);
  expect(series[0]?.values).toEqual([20, 40, 44, null, null, null]);
});
it("meets the limit when the API expects it, and ends at what is expected without it", () => {
  const { series } = burnOf(forecast(11, 40), [forecast(11, 40)], new Date(day(11)));
  expect(series.map((each) => each.name)).toEqual(["spent", "expected", "limit"]);
  expect(series[1]?.values).toEqual([40, expect.closeTo(56.67), 90, 100]);
  expect(series[1]?.high).toEqual([40, 90, expect.closeTo(115), 140]);
  expect(series[1]?.low).toEqual([40, 48, 64, 80]);
});
it("ends soon after the limit is reached for certain, also where the plan goes on for months", () => {
  const early = forecast(11, 40, { end: { expected: day(13), earliest: day(12), latest: day(14) } });
  const { x, series } = burnOf(early, [], new Date(day(11)));
  expect(x).toEqual([at(11), at(12), at(13), at(14), at(17)]);
  expect(series[1]?.low?.[3]).toBe(90);
});
it("has no band without an upper end, and no limit where there is none", () => {
  const open = forecast(11, 40, { limit: null, end: null, demand: { mean: 100, low: 80, high: null } });
  const { series } = burnOf(open, [], new Date(day(11)));
  expect(series.map((each) => [each.name, each.high])).toEqual([["spent", undefined], ["expected", undefined]]);
});
it("is nothing outside of what is known", () => {
  expect([valueAt([[1, 10], [3, 20]], 0), valueAt([[1, 10], [3, 20]], 2), valueAt([[1, 10], [3, 20]], 4)]).toEqual([null, 15, null]);
});
