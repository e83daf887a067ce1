// What timeline.ts promises: parts of an axis stay within it, marks are found by their place, strokes are few.
import { expect, it } from "vitest";
import { clock, nearest, panned, placeOf, showing, strokes, ticks, viewOf, viewText, whole, zoomed, type Lane, type Mark } from "./timeline";

const mark = (t: number): Mark => ({ id: String(t), t, kind: 0, side: 0, isAlone: false });
const lane = (durationS: number, ...times: number[]): Lane => ({ id: "a", title: "a", durationS, marks: times.map(mark) });

it("has an axis as long as the longest lane, and one for no lanes", () => {
  expect(whole([lane(60, 5), lane(30, 90)])).toEqual([0, 90]);
  expect(whole([])[1]).toBeGreaterThan(0);
});
it("zooms around an instant and never leaves the axis", () => {
  expect(zoomed([0, 100], 0.5, 20, [0, 100])).toEqual([10, 60]);
  expect(zoomed([10, 60], 10, 20, [0, 100])).toEqual([0, 100]);
  const [from, until] = zoomed([0, 1], 0.001, 0, [0, 100]);
  expect([from, until - from]).toEqual([0, 0.5]);
});
it("pans to the ends and keeps its length", () => {
  expect(panned([20, 40], 0.5, [0, 100])).toEqual([30, 50]);
  expect(panned([20, 40], -5, [0, 100])).toEqual([0, 20]);
  expect(panned([20, 40], 50, [0, 100])).toEqual([80, 100]);
});
it("shows an instant by moving no more than it must", () => {
  expect(showing([20, 40], 30, [0, 100])).toEqual([20, 40]);
  expect(showing([20, 40], 90, [0, 100])).toEqual([80, 100]);
});
it("finds the nearest mark within reach", () => {
  const marks = [1, 5, 5.5].map(mark);
  expect(nearest(marks, 5.4, 1)?.t).toBe(5.5);
  expect(nearest(marks, 3, 1)).toBeUndefined();
});
it("draws one stroke for each pixel that has marks, and none outside", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => index / 100);
  const path = strokes(many, [0, 50], 100, 2, 8);
  expect(path.match(/M/g)).toHaveLength(101);
  expect(strokes([60, 10], [0, 50], 100, 2, 8)).toBe("M20 2v8");
  expect(placeOf(25, [0, 50], 100)).toBe(50);
});
it("has round ticks that do not crowd", () => {
  expect(ticks([0, 100], 320)).toEqual([0, 30, 60, 90]);
  expect(ticks([12, 13], 390)).toEqual([12, 12.5, 13]);
  expect(ticks([0, 5 * 86_400], 400).length).toBeLessThan(7);
});
it("writes instants as fine as the part that is shown", () => {
  expect([clock(65, [0, 100]), clock(7205, [0, 8000]), clock(5.25, [5, 6]), clock(59.96, [55, 70])]).toEqual([
    "1:05",
    "2:00:05",
    "0:05.25",
    "1:00.0",
  ]);
});
it("is in the address, and ignores what is none", () => {
  expect(viewText(viewOf("12.5-60"))).toBe("12.5-60");
  expect([viewOf("60-12"), viewOf("x"), viewOf(null), viewOf("1-1")]).toEqual([null, null, null, null]);
});
