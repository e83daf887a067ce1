// Conditions come into the filter and out of it, whatever else it says.
import { expect, test } from "vitest";
import { added, equals, has, literal, parts, removed, within, withoutBounds } from "./conditions";

test("values are written as CQL2 reads them", () => {
  expect(literal("it's")).toBe("'it''s'");
  expect(equals("vehicle.hardware", 3)).toBe("vehicle.hardware = 3");
});

test("a filter is divided at its own ANDs alone", () => {
  expect(parts("a = 'x AND y' AND fire(b = 1 AND c = 2) AND d BETWEEN 1 AND 2")).toEqual([
    "a = 'x AND y'",
    "fire(b = 1 AND c = 2)",
    "d BETWEEN 1 AND 2",
  ]);
  expect(parts("a = 1 OR b = 2")).toBeNull();
  expect(parts("(a = 1 OR b = 2) AND c = 3")).toEqual(["(a = 1 OR b = 2)", "c = 3"]);
  expect(parts("  ")).toEqual([]);
});

test("a condition is added, found and removed again", () => {
  for (const before of ["", "a = 1", "a = 1 OR b = 2", "(a = 1 OR b = 2) AND c = 3"]) {
    const condition = equals("campaign", "x");
    const after = added(before, condition);
    expect(has(after, condition)).toBe(true);
    expect(has(before, condition)).toBe(false);
    expect(removed(after, condition).replace(/^\(([^()]*)\)$/, "$1")).toBe(before);
  }
});

test("a brush replaces the bounds of the brush before", () => {
  const first = added("a = 1", within("recorded", 0, 60));
  expect(has(first, within("recorded", 0, 60))).toBe(true);
  expect(withoutBounds(first, "recorded")).toBe("a = 1");
});
