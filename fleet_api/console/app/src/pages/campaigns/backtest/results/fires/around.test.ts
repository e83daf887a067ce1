// What around.ts promises: a fire's clip and a little more within the API's limit, and series on one axis around the fire.
import { expect, it } from "vitest";
import type { Schemas } from "../../../../../api/types";
import { plotOf } from "../../../../../components/signals/plots";
import { namesOf, offered, signalsAround, spanOf } from "./around";
import type { Fire } from "./fires";

const FIRE = { t_ns: 20e9, t_s: 15, start_ns: 12e9, end_ns: 24e9 } as Fire;

it("asks for the capture window and a little more, or for so many seconds around", () => {
  expect(spanOf(FIRE, null)).toEqual({ from_ns: 8e9, to_ns: 28e9 });
  expect(spanOf(FIRE, 60)).toEqual({ from_ns: 0, to_ns: 80e9 });
  const { from_ns, to_ns } = spanOf({ ...FIRE, t_ns: 1e18 }, 7200);
  expect(to_ns - from_ns).toBeLessThanOrEqual(3600e9);
});
it("puts series of different times on one axis around the fire", () => {
  const series = (name: string, t_s: number[], value: (number | null)[], more = {}) => ({ name, t_s, value, type: "number", values: [], ...more });
  const view = {
    first_ns: 5e9,
    from_ns: 18e9,
    series: [
      series("active.cut_in.detected", [14, 16], [0, 1]),
      series("shadow.cut_in.detected", [11, 15], [0, 1]),
      series("ego.gear", [14, 15], [0, null], { type: "text", values: ["P", "D"] }),
    ],
  } as unknown as Schemas["SignalsView"];
  const signals = signalsAround(view, FIRE);
  expect(signals.t).toEqual([-2, -1, 0, 1]);
  const head = plotOf(signals, "cut_in.detected", null);
  expect(head.series.map((each) => each.values)).toEqual([[null, 0, 0, 1], [0, 0, 1, 1]]);
  expect(head.disagreement).toEqual([[0, 1]]);
  const gear = plotOf(signals, "ego.gear", null);
  expect([gear.texts, gear.series[0]?.values]).toEqual([["P", "D"], [0, null]]);
});
it("offers a head once and asks for both of its signals, and for none that the catalog has not", () => {
  const signals = ["ego.speed", "active.cut_in.detected", "shadow.cut_in.detected"];
  expect(offered(signals)).toEqual(["cut_in.detected", "ego.speed"]);
  expect(namesOf(["cut_in.detected", "ego.speed", "gone"], signals)).toEqual(["active.cut_in.detected", "shadow.cut_in.detected", "ego.speed"]);
});
