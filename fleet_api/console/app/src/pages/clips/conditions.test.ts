// Conditions come into the filter and out of it, whatever else it says.
import { expect, test } from "vitest";
import { added, equals, has, inView, literal, parts, removed, within, withoutBounds, withoutViews } from "./conditions";

test("values are written as CQL2 reads them", () => {
  expect(literal("it's")).toBe("'it''s'");
  expect(equals("vehicle.hardware", 3)).toBe("vehicle.hardware = 3");
  expect(equals('vehicle.my-"model"', true)).toBe('"vehicle.my-""model""" = true');
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

test("a view of the map takes the place of the one before, and of nothing else", () => {
  const view = inView([1, 2, 3, 4]);
  expect(view).toBe("S_INTERSECTS(geometry, BBOX(1.00000, 2.00000, 3.00000, 4.00000))");
  for (const kept of ["a = 1", `NOT ${view}`, `a = 1 OR ${view}`]) {
    expect(withoutViews(added(kept, inView([5, 6, 7, 8]))).replace(/^\((.*)\)$/, "$1")).toBe(kept);
    expect(parts(added(withoutViews(kept), view))).toHaveLength(2);
  }
  expect(withoutViews(view)).toBe("");
});

test("a view across the antimeridian has its west greater than its east, and one of more than the earth has all of it", () => {
  expect(inView([170, -10, 190, 10])).toContain("BBOX(170.00000, -10.00000, -170.00000, 10.00000)");
  expect(inView([-190, -10, -170, 10])).toContain("BBOX(170.00000, -10.00000, -170.00000, 10.00000)");
  expect(inView([-200, -95, 200, 95])).toContain("BBOX(-180.00000, -90.00000, 180.00000, 90.00000)");
});
