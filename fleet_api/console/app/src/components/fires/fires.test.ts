// What fires.ts promises: sums over versions still add up to what fired, and every refusal has its reason.
import { expect, it } from "vitest";
import { OUTCOMES, outcome, type Outcomes } from "../../api/types";
import { dailyOf, reasonsOf, together } from "./fires";

const one: Outcomes = {
  fired: 10, suppressed: 1, sampled_out: 2, refused: { budget: 3 }, dropped: { full: 1 }, failed: {}, catalogued: 3, expired: 1,
  erased: 0, in_flight: 1, unaccounted: 0, overruled: 0, per_trigger: { hard_brake: 10 }, armed_ns: 5, distance_m: 7,
};
const other: Outcomes = { ...one, refused: { budget: 1, paused: 2 }, dropped: { full: 0, old: 1 } };

it("sums versions so that outcomes still add up to what fired", () => {
  const sum = together([one, other]);
  expect(OUTCOMES.reduce((before, [name]) => before + outcome(sum, name), 0)).toBe(sum.fired);
  expect([sum.fired, sum.armed_ns, sum.per_trigger]).toEqual([20, 10, { hard_brake: 20 }]);
});
it("lists each reason once, the most frequent first, without those that have no fire", () => {
  expect(reasonsOf(together([one, other])).map((each) => `${each.outcome} ${each.reason} ${each.fires}`)).toEqual([
    "refused budget 4",
    "refused paused 2",
    "dropped full 1",
    "dropped old 1",
  ]);
});
it("is nothing of no version", () => {
  expect([together([]).fired, reasonsOf(together([]))]).toEqual([0, []]);
});
it("counts fires by the days on which they were reported or stored, and days without any as none", () => {
  const usage = { day: "2026-01-02T00:00:00Z", fires: 9, suppressed: 2, kept_fires: 3, sampled_out: 1, refused: 2, dropped: 0, failed: 1 };
  const day = Date.UTC(2026, 0, 2) / 1000;
  const { x, series } = dailyOf([usage as Parameters<typeof dailyOf>[0][number]], [day - 86_400, day]);
  expect(x).toEqual([day - 86_400, day]);
  expect(series.map((each) => [each.name, each.values])).toEqual([
    ["fires", [0, 9]],
    ["kept_fires", [0, 3]],
    ["sampled_out", [0, 1]],
    ["refused", [0, 2]],
    ["dropped", [0, 0]],
    ["failed", [0, 1]],
    ["suppressed", [0, 2]],
  ]);
});
