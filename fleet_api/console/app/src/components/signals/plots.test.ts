// Signals are plotted with what was known at each time, heads as one plot, disagreement as parts of time.
import { expect, test } from "vitest";
import { differing, plotOf, plottable, type Signals } from "./plots";

const SIGNALS: Signals = {
  t: [0, 1, 2, 3, 4],
  columns: new Map([
    ["ego.speed", [10, null, 12, null, 14]],
    ["active.cut_in.detected", [0, null, 0, null, 1]],
    ["shadow.cut_in.detected", [null, 0, 1, 1, 1]],
  ]),
};

test("a head is one plot, and comes before other signals", () => {
  expect(plottable(SIGNALS)).toEqual(["cut_in.detected", "ego.speed"]);
});

test("a sample holds until the next, and where both are known and differ is shaded", () => {
  const plot = plotOf(SIGNALS, "cut_in.detected", null);
  expect(plot.x).toEqual([0, 1, 2, 3, 4]);
  expect(plot.series.map((each) => each.values)).toEqual([
    [0, 0, 0, 0, 1],
    [null, 0, 1, 1, 1],
  ]);
  expect(plot.series[0]?.shape).toBe("steps");
  expect(plot.disagreement).toEqual([[2, 4]]);
});

test("a number has its own times and its unit", () => {
  const plot = plotOf(SIGNALS, "ego.speed", "m/s");
  expect([plot.title, plot.x]).toEqual(["ego.speed in m/s", [0, 2, 4]]);
});

test("what differs at the end ends there", () => {
  expect(differing([0, 1], [0, 1], [0, 0])).toEqual([[1, 1]]);
});

test("a text is drawn as steps between its values, and nothing is known after an invalid sample", () => {
  const gears: Signals = {
    t: [0, 1, 2],
    columns: new Map([["ego.gear", [0, Number.NaN, 2]]]),
    texts: new Map([["ego.gear", ["P", "R", "D"]]]),
  };
  const plot = plotOf(gears, "ego.gear", "");
  expect([plot.series[0]?.values, plot.series[0]?.shape, plot.texts]).toEqual([[0, null, 2], "steps", ["P", "R", "D"]]);
});
