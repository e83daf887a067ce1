// What figures.ts promises: the key figures of a report with their intervals, and what does not fit a budget.
import { expect, it } from "vitest";
import { figuresOf } from "./figures";

const expected = (mean: number) => ({ mean, low: mean / 2, high: mean * 2 });
const report = {
  attached_by: "ann",
  attached_by_id: 1,
  attached_at: "2026-01-31T08:00:00Z",
  ran_at: null,
  longtail: null,
  drives: 2,
  hours: 3.456,
  km: 120.4,
  triggers: { brake: { fires: 7, hours: 3.456, per_hour: expected(2) }, rare: { fires: 1, hours: 3.456, per_hour: null } },
  remarks: [],
  more_remarks: 0,
  differences: [],
};
const perDay = { fires_per_fleet_day: expected(1), clips_per_fleet_day: expected(1), bytes_per_vehicle_day: expected(1) };
const budget = { amount: 1000, per_day: expected(2000), days: null, clips: 5, larger_clips: 2 };
const forecast = {
  program_digest: "a",
  drives: 2,
  hours: 3.456,
  vehicles: 1000,
  hours_per_day: 1,
  triggers: { brake: { ...perDay, bytes_per_fleet_day: { mean: 2e6, low: 1e6, high: null } } },
  budgets: [
    { ...budget, limit: "vehicle_day_bytes" },
    { ...budget, limit: "total_bytes", amount: 1e9, days: { mean: 12, low: 8, high: null }, larger_clips: 0 },
  ],
};

it("has nothing to say without a report", () => {
  expect(figuresOf({ report: null, forecast: null })).toEqual([]);
});
it("writes rates, forecast and budgets with their intervals", () => {
  expect(figuresOf({ report, forecast })).toEqual([
    ["Driven", "2 drives, 3.46 h, 120 km"],
    ["brake", "7 fires, 2 (1 to 4) per hour"],
    ["rare", "1 fire"],
    ["Forecast of brake", "2.0 MB (1.0 MB to no limit) per day of 1,000 vehicles, 1 h per day"],
    ["Budget per vehicle and day", "1.0 kB, more is expected, 2 of 5 clips are refused as too large"],
    ["Budget in total", "1.0 GB, lasts 12 (8 to no limit) days"],
  ]);
});
