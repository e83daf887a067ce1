// What charts.ts promises: a row for each x, a column for each series and its band, colours and dashes that repeat.
import { expect, it } from "vitest";
import { colourOf, columnsOf, dash, tickText, WHOLE_STEPS, type Series } from "./charts";

const series: Series[] = [
  { name: "sent", title: "Sent", values: [1, null], low: [0, null], high: [2, null] },
  { name: "limit", title: "Limit", values: [5, 5] },
];

it("has the columns of each series and of its band", () => {
  const columns = columnsOf(series, { name: "day", title: "Day", text: (x) => `day ${x}` }, (value) => String(value));
  expect(columns.map((each) => each.name)).toEqual(["day", "sent", "sent_low", "sent_high", "limit"]);
  expect(columns.map((each) => each.value({ x: 7, index: 0 }))).toEqual([7, 1, 0, 2, 5]);
  expect(columns.map((each) => each.text?.({ x: 7, index: 1 }))).toEqual(["day 7", "null", "null", "null", "5"]);
});
it("tells series apart by colour and by dash", () => {
  expect([colourOf(series[0]!, 0), colourOf(series[1]!, 9), colourOf({ ...series[0]!, colour: "shadow" }, 0)]).toEqual([
    "--series-1",
    "--series-2",
    "--shadow",
  ]);
  expect(dash(0)).toEqual([]);
  expect(dash(9)).toEqual(dash(1));
});
it("writes ticks of time in UTC, as fine as their steps", () => {
  const at = Date.UTC(2026, 0, 31, 8, 5, 9) / 1000;
  const ticks = [tickText(at, 86400), tickText(at, 60), tickText(at, 1), tickText(at + 0.25, 0.25)];
  expect(ticks).toEqual(["2026-01-31", "08:05", "08:05:09", "05:09.250"]);
  expect(tickText(Date.UTC(2026, 0, 31) / 1000, 3600)).toBe("2026-01-31\n00:00");
});
it("has steps between whole numbers from one to more than any count, each at most 2.5 times the one before", () => {
  expect(WHOLE_STEPS.every(Number.isSafeInteger)).toBe(true);
  expect([WHOLE_STEPS[0], WHOLE_STEPS.at(-1)]).toEqual([1, 5e15]);
  expect(WHOLE_STEPS.slice(1).every((step, index) => step > WHOLE_STEPS[index]! && step <= 2.5 * WHOLE_STEPS[index]!)).toBe(true);
});
