// What asked.ts promises: what is run beside what, and a choice of drives that an address can hold.
import { expect, it } from "vitest";
import { chosenDrives, fleetOf, isSameOver, namesOf, namesText, programsOf, titleOf, type Drive, type Text } from "./asked";
import type { Constant } from "./thresholds/thresholds";

const TEXT: Text = { campaign: "braking", version: 3, source: "x > 5 m", catalog: { signals: "yaml" } };
const CONSTANT = { line: 1, column: 5, end_line: 1, end_column: 8, value: 5, unit: "m" } as Constant;
const drive = (name: string, problem: string | null = null) => ({ name, problem }) as Drive;

it("runs a version alone, after another one, or after itself as it is", () => {
  expect(programsOf(TEXT, null, null)).toEqual([{ campaign: "braking", version: 3 }]);
  expect(programsOf(TEXT, 1, null)).toEqual([{ campaign: "braking", version: 1 }, { campaign: "braking", version: 3 }]);
  expect(programsOf(TEXT, 1, { constant: CONSTANT, value: 7.5 })).toEqual([
    { source: "x > 5 m", filename: "version 3", signals: "yaml" },
    { source: "x > 7.5 m", filename: "version 3 with 7.5 m", signals: "yaml" },
  ]);
});
it("sweeps a param of the text as it is", () => {
  const sweep = "hold=100ms,300ms";
  expect(programsOf(TEXT, null, null, sweep)).toEqual([{ campaign: "braking", version: 3, sweep }]);
  expect(programsOf(TEXT, 1, null, sweep)).toEqual([{ campaign: "braking", version: 1 }, { campaign: "braking", version: 3, sweep }]);
  expect(programsOf(TEXT, null, { constant: CONSTANT, value: 7.5 }, sweep).map((each) => "sweep" in each)).toEqual([true, false]);
});
it("runs a draft as its text", () => {
  const draft = { ...TEXT, version: null, catalog: { catalog: "cars" } };
  expect(programsOf(draft, 2, null)[1]).toEqual({ source: "x > 5 m", filename: "the draft of braking", catalog: "cars" });
});
it("calls programs by their version, else by their file", () => {
  expect(titleOf({ campaign: "braking", version: 2, filename: null })).toBe("version 2");
  expect(titleOf({ campaign: null, version: null, filename: "version 3 with 7.5 m" })).toBe("version 3 with 7.5 m");
});
it("chooses all drives that can be read, or those of the address that there are", () => {
  const drives = [drive("a"), drive("b,c/50%"), drive("broken", "it is truncated")];
  expect(chosenDrives(null, drives)).toEqual(["a", "b,c/50%"]);
  expect(chosenDrives(namesText(["b,c/50%", "broken", "gone"]), drives)).toEqual(["b,c/50%"]);
  expect(chosenDrives(namesText([]), drives)).toEqual([]);
  expect(namesOf(namesText(["%2C", ",", "x"]))).toEqual(["%2C", ",", "x"]);
});
it("takes the fleet of the address as far as it makes sense", () => {
  expect(fleetOf(new URLSearchParams("vehicles=20&hours=1.5&sample=4"))).toEqual({ vehicles: 20, hours_per_day: 1.5, sample: 4 });
  expect(fleetOf(new URLSearchParams("vehicles=-1&hours=99"))).toEqual({ vehicles: 1000, hours_per_day: 1, sample: null });
});
it("knows whether results are of what is chosen now", () => {
  const clips = (filter: string | null) => ({ drives: null, clips: { filter, filter_lang: "cql2-text" as const, limit: 100 } });
  expect(isSameOver({ drives: ["a", "b"], clips: null }, { drives: ["b", "a"], clips: null })).toBe(true);
  expect(isSameOver(clips("a = 1"), clips(null))).toBe(false);
  expect(isSameOver(clips(null), { drives: ["a"], clips: null })).toBe(false);
});
