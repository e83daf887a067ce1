// What volume.ts promises: every byte of the period is in exactly one series, on its day in UTC.
import { expect, it } from "vitest";
import { daysUntil, oneOf, PERIODS_DAYS, seriesOf, totals, type Usage } from "./volume";

const NOW = new Date("2026-03-01T00:30:00Z");
function used(campaign: string, day: string, bytes: number): Usage {
  return {
    campaign, day, version: null, trigger: null, region: null, model: null, network: null, month: null, hour: null,
    clips: 1, kept_fires: 1, clip_bytes: bytes, wire_bytes: 2 * bytes, fires: 0, suppressed: 0,
    sampled_out: 0, refused: 0, dropped: 0, failed: 0, armed_ns: 0, distance_m: 0,
  };
}

it("has the days of a period in UTC, the present one last", () => {
  expect(daysUntil(NOW, 2).map((day) => new Date(day * 1000).toISOString())).toEqual([
    "2026-02-28T00:00:00.000Z",
    "2026-03-01T00:00:00.000Z",
  ]);
});
it("draws 0 on days without usage, and puts all small groups together", () => {
  const groups = Array.from({ length: 10 }, (_, index) => used(`c${index}`, "2026-03-01T00:00:00Z", 100 - index));
  groups.push(used("", "2026-02-28T00:00:00Z", 1));
  const series = seriesOf(groups, daysUntil(NOW, 2), "campaign", "clip_bytes");
  expect(series.map((each) => each.title)).toEqual(["c0", "c1", "c2", "c3", "c4", "c5", "c6", "4 others"]);
  expect(series[0]?.values).toEqual([0, 100]);
  expect(series[7]?.values).toEqual([1, 93 + 92 + 91]);
});
it("has no series of groups that used nothing of the measure", () => {
  expect(seriesOf([used("idle", "2026-03-01T00:00:00Z", 0)], daysUntil(NOW, 1), "campaign", "wire_bytes")).toEqual([]);
});
it("adds up days, the largest first, and names what has no campaign", () => {
  const found = totals([used("a", "2026-02-28T00:00:00Z", 1), used("", "2026-03-01T00:00:00Z", 5), used("a", "2026-03-01T00:00:00Z", 2)], "campaign", "wire_bytes");
  expect(found.map((each) => [each.name, each.wire_bytes, each.clip_bytes])).toEqual([["(no campaign)", 10, 5], ["a", 6, 3]]);
});
it("takes the first choice where the address has none", () => {
  expect([oneOf(PERIODS_DAYS, "90"), oneOf(PERIODS_DAYS, "91"), oneOf(PERIODS_DAYS, null)]).toEqual([90, 7, 7]);
});
