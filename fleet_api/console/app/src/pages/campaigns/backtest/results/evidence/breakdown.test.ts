// What breakdown.ts promises: triggers that fired, the ones with the most fires first, and none where nothing was asked for.
import { expect, it } from "vitest";
import { firedMost } from "./breakdown";

const bins = (...fires: number[]) => ({ speed: fires.map((count, place) => ({ bin: `${place}`, fires: count, hours: 1, per_hour: null })), place: [], hour: [] });

it("has those that fired, the most fires first", () => {
  const breakdown = { triggers: { rare: bins(1), never: bins(0, 0), often: bins(2, 3) }, utc_hours: 0 };
  expect(firedMost({ breakdown }).map(({ trigger }) => trigger)).toEqual(["often", "rare"]);
  expect(firedMost({ breakdown: null })).toEqual([]);
});
