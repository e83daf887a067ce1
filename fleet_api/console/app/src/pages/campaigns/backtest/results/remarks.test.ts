// What remarks.ts promises: all that the figures do not say is told, with what to do, and nothing for a clean run.
import { expect, it } from "vitest";
import type { Schemas } from "../../../../api/types";
import { remarksOf } from "./remarks";

type Result = Schemas["ProgramResultView"];
const trigger = (more = {}) => ({ hours: 10, known_hours: 10, drives: 3, largest_share: 0.4, largest_drive: "a", unknown: {}, why_not: null, ...more });
const result = (report = {}, warnings: unknown[] = []) =>
  ({
    warnings,
    report: { drives: 3, triggers: { x: trigger() }, left_out: [], findings: [], uncounted: [], failed_drives: [], overflows: 0, ...report },
  }) as unknown as Result;

it("has none where all ran on all", () => {
  expect(remarksOf(result(), "")).toEqual([]);
});
it("tells what was left out, not known, not counted and lost", () => {
  const found = remarksOf(
    result(
      {
        triggers: { x: trigger({ known_hours: 4, unknown: { "lead.distance": 0.6 }, largest_share: 0.9 }), z: trigger({ why_not: "`p` was never true" }) },
        left_out: [{ trigger: "y", drives: 2, reason: "there is no column for ego.speed" }],
        failed_drives: [{ drive: "broken", problem: "it is truncated", remedy: "copy it again" }],
        findings: [{ column: "speed", drives: 1, count: 1200, problem: "an infinite value", first_drive: "a", row: 7, value: "inf" }],
        uncounted: [{ name: "camera front", drives: 3 }],
        overflows: 5,
        limited_days: [{ campaign: "city", refused: null, refused_by: [], unknown: "a day has too many clips" }],
      },
      [{ line: 2, column: 3, message: "it never fires", proposal: "remove it" }],
    ),
    "version 2",
  );
  expect(found.every((remark) => remark.text.startsWith("version 2: "))).toBe(true);
  const told = found.map((remark) => remark.text).join("\n");
  for (const part of ["broken was left out", "line 2, column 3", "y did not run on 2 of 3 drives", "lead.distance 60 %", "z never fired: `p` was never true", "90 % of the fires", "1,200 times", "camera front", "5 samples", "campaign city: a day has too many clips"]) {
    expect(told).toContain(part);
  }
  expect(found.find((remark) => remark.text.includes("broken"))?.remedy).toBe("copy it again");
});
