// What limits.ts promises: limits as they are written, shares with their intervals, and what may go over cellular networks.
import { expect, it } from "vitest";
import { cellularText, reasonsText, refusedText } from "./limits";

const most = { mean: 2e6, low: 1e6, high: 3e6 };

it("writes the refused share with its interval, and a dash where there is none", () => {
  expect(refusedText({ refused: { mean: 0.25, low: 0.1, high: 0.5 } })).toBe("25 % (10 % to 50 %)");
  expect(refusedText({ refused: { mean: 0.25, low: 0.1, high: null } })).toBe("25 % (10 % to 100 %)");
  expect(refusedText({ refused: null })).toBe("–");
});
it("names the limits that refuse, and whose they are", () => {
  const refused_by = [
    { limit: "vehicle_day_bytes", amount: 20e6, trigger: null, share: 0.2 },
    { limit: "clips", amount: 5, trigger: "cut_in", share: 0.05 },
  ];
  const refused = { mean: 0.25, low: 0.1, high: 0.5 };
  expect(reasonsText({ campaign: "city", refused, refused_by })).toBe("20.0 MB per vehicle and day 20 %, city.cut_in: 5 clips in total 5 %");
});
it("says why there is no share of refused clips", () => {
  expect(reasonsText({ campaign: "city", refused: null, refused_by: [] })).toBe("nothing fired");
  expect(reasonsText({ campaign: "city", refused: null, refused_by: [], unknown: "too many clips" })).toBe("not known: too many clips");
});
it("says how much goes over cellular networks: none, all, or at most so much", () => {
  expect(cellularText({ networks: ["wifi"], cellular_bytes_per_fleet_day: { mean: 0, low: 0, high: 0 } })).toBe("none");
  expect(cellularText({ networks: ["cellular"], cellular_bytes_per_fleet_day: most })).toBe("2.0 MB (1.0 MB to 3.0 MB)");
  expect(cellularText({ networks: ["wifi", "cellular"], cellular_bytes_per_fleet_day: most })).toBe("at most 2.0 MB (1.0 MB to 3.0 MB)");
});
