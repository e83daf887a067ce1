// What fires.ts promises: every drive has a lane, every fire of the chosen triggers a mark, and what changed comes first.
import { expect, it } from "vitest";
import type { Schemas } from "../../../../../api/types";
import { lanesOf, ordered, outcomeText, triggersOf, type Fire, type SidedFire } from "./fires";

const report = (triggers: string[], ...drives: string[]) =>
  ({
    triggers: Object.fromEntries(triggers.map((name) => [name, {}])),
    by_drive: drives.map((drive) => ({ drive, first_ns: 5e9, last_ns: 65e9 })),
  }) as unknown as Schemas["ReportView"];
const fire = (side: number, number: number, trigger: string, drive: string, t_s: number, elsewhere: boolean | null): SidedFire => ({
  side,
  fire: { number, trigger, drive, t_s, elsewhere, outcome: "kept", reason: null } as Fire,
});
const REPORTS = [report(["x", "y"], "a", "b"), report(["x", "z"], "a", "b", "c")];
const FIRES = [fire(0, 0, "x", "a", 9, true), fire(0, 1, "y", "a", 3, null), fire(1, 0, "x", "a", 9.5, true), fire(1, 1, "x", "b", 1, false)];

it("has a lane for each drive of either program, and marks of both sides in the order of time", () => {
  const lanes = lanesOf(REPORTS, FIRES, ["x", "y", "z"]);
  expect(lanes.map((lane) => [lane.id, lane.durationS])).toEqual([["a", 60], ["b", 60], ["c", 60]]);
  expect(lanes[0]?.marks.map((mark) => [mark.id, mark.t, mark.kind, mark.side])).toEqual([
    ["0.1", 3, 1, 0],
    ["0.0", 9, 0, 0],
    ["1.0", 9.5, 0, 1],
  ]);
  expect(lanes.flatMap((lane) => lane.marks).filter((mark) => mark.isAlone).map((mark) => mark.id)).toEqual(["1.1"]);
});
it("shows the triggers that are asked for", () => {
  expect(triggersOf(REPORTS)).toEqual(["x", "y", "z"]);
  expect(lanesOf(REPORTS, FIRES, ["y"]).flatMap((lane) => lane.marks).map((mark) => [mark.id, mark.kind])).toEqual([["0.1", 0]]);
});
it("puts lanes with the most fires, or with the most changes, first", () => {
  const lanes = lanesOf(REPORTS, FIRES, ["x", "y", "z"]);
  const names = (order: Parameters<typeof ordered>[1]) => ordered(lanes, order).map((lane) => lane.id).join("");
  expect([names("fires"), names("changes"), names("given")]).toEqual(["abc", "bac", "abc"]);
});
it("says what became of a fire", () => {
  const one = FIRES[0]!.fire;
  expect([outcomeText(one), outcomeText({ ...one, outcome: "dropped", reason: "larger than 2 MB" })]).toEqual(["kept", "dropped: larger than 2 MB"]);
});
