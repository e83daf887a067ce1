// What is compared is chosen from what there is, and ends of intervals are columns of their own.
import { expect, test } from "vitest";
import type { Schemas } from "../../../api/types";
import { factor, rateColumns } from "../../../components/fires/estimates";
import { answers, labelsOf, pairOf } from "./versions";

test("the last two are compared unless the address names others that are there", () => {
  const labels = ["1", "2", "3"];
  expect(pairOf(labels, null, null)).toEqual({ old: "2", new: "3" });
  expect(pairOf(labels, "1", null)).toEqual({ old: "1", new: "3" });
  expect(pairOf(labels, "3", null)).toEqual({ old: "3", new: "2" });
  expect(pairOf(labels, "9", "2")).toEqual({ old: "3", new: "2" });
  expect(pairOf(labels, "2", "2")).toBeNull();
  expect(pairOf(["1"], null, null)).toBeNull();
});

test("a comparison is shown of the two that are chosen, and per the unit that is", () => {
  const comparison = { old: "1", new: "2", per: "hour" } as Schemas["ComparisonView"];
  expect(answers(comparison, { old: "1", new: "2" }, "hour")).toBe(true);
  expect(answers(comparison, { old: "1", new: "2" }, "1000km")).toBe(false);
  expect(answers(comparison, { old: "2", new: "1" }, "hour")).toBe(false);
  expect(answers(comparison, null, "hour")).toBe(false);
});

test("labels of software are in their order, without those of vehicles that lack it", () => {
  const rates = ["v10", "v9", "", null, "v10"].map((software) => ({ software }) as Schemas["RateView"]);
  expect(labelsOf(rates)).toEqual(["v9", "v10"]);
});

test("an estimate has three columns, and one without an end says so", () => {
  const columns = rateColumns("rate", "Per hour", (row: { rate: Schemas["Estimate"] | null }) => row.rate);
  const row = { rate: { mean: 2, low: 1, high: null } };
  expect(columns.map((column) => [column.name, column.value(row), column.text?.(row)])).toEqual([
    ["rate", 2, "2"],
    ["rate_low", 1, "1"],
    ["rate_high", null, "no end"],
  ]);
  expect(columns[2]?.text?.({ rate: null })).toBe("–");
  expect([factor(1.2345), factor(null), factor(Infinity)]).toEqual(["× 1.23", "–", "–"]);
});
