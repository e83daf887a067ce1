// What thresholds.ts promises: one number is replaced where it stands, the rest of the text stays as it is.
import { expect, it } from "vitest";
import { movedTo, placeOf, replaced, titleOf, valueText, type Constant } from "./thresholds";

const SOURCE = `# 🚗 fast
trigger braking { describe "🚗🚗"
  when ego.accel < -3 m/s^2 for 300 ms and p > 0.5
}`;
const constant = (line: number, text: string, more: Partial<Constant>): Constant => {
  const before = [...(SOURCE.split("\n")[line - 1] ?? "").split(text)[0]!].length;
  const place = { line, column: before + 1, end_line: line, end_column: before + 1 + text.length, text };
  const range = { low: -9, high: 3, step: 0.1, signal: null };
  return { kind: "comparison", block: "braking", subject: "ego.accel", operator: "<", value: -3, unit: "m/s^2", ...place, ...range, ...more };
};
const accel = constant(3, "-3 m/s^2", {});
const hold = constant(3, "300 ms", { kind: "duration", subject: "ego.accel < -3 m/s^2", operator: "for", value: 300, unit: "ms" });
const share = constant(3, "0.5", { subject: "p", operator: ">", value: 0.5, unit: "" });

it("replaces a number with its unit, and nothing else", () => {
  expect(replaced(SOURCE, accel, -2.5)).toBe(SOURCE.replace("-3 m/s^2", "-2.5 m/s^2"));
  expect(replaced(SOURCE, hold, 0.1 + 0.2)).toBe(SOURCE.replace("300 ms", "0.3 ms"));
  expect(replaced(SOURCE, share, 1e-7)).toBe(SOURCE.replace("0.5", "1e-7"));
});
it("counts characters and not UTF-16 units", () => {
  const line = `trigger a { describe "🚗" when x > 5 }`;
  const five = { ...share, line: 1, column: 35, end_line: 1, end_column: 36, text: "5" };
  expect([...line].indexOf("5")).toBe(34);
  expect(replaced(line, five, 6)).toBe(line.replace("> 5", "> 6"));
});
it("says what it is", () => {
  expect([titleOf(accel), titleOf(hold)]).toEqual([
    "braking, line 3: ego.accel < -3 m/s^2",
    "braking, line 3: ego.accel < -3 m/s^2 for 300 ms",
  ]);
  expect([placeOf(accel), valueText(accel, -2.5), valueText(share, 0.25)]).toEqual(["3:20", "-2.5 m/s^2", "0.25"]);
});
it("is moved by a number that differs, and by nothing else", () => {
  expect([movedTo(accel, "-2"), movedTo(accel, "-3"), movedTo(accel, "x"), movedTo(accel, ""), movedTo(undefined, "1")]).toEqual([
    -2, null, null, null, null,
  ]);
});
