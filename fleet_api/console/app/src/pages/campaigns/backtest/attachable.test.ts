// What attachable.ts promises: versions of the campaign that ran as they are and wait for approval, over drives alone.
import { expect, it } from "vitest";
import { attachable } from "./attachable";

const program = (campaign: string | null, version: number | null) => ({ filename: campaign ? null : "a.trigger", campaign, version });
const over = { drives: ["a"], clips: null };
const versions = [
  { version: 1, state: "active" as const },
  { version: 2, state: "submitted" as const },
  { version: 3, state: "draft" as const },
];

it("offers the versions that wait, and which program each is", () => {
  const programs = [program("c", 1), program("c", 3)];
  expect(attachable({ state: "done", programs, over }, "c", versions)).toEqual([{ version: 3, program: 1 }]);
  expect(attachable({ state: "done", programs: [program("c", 2)], over }, "c", versions)).toEqual([{ version: 2, program: 0 }]);
});
it("offers nothing of another campaign, of a text, of clips, or before it is done", () => {
  const programs = [program("c", 2)];
  expect(attachable({ state: "done", programs: [program("other", 2), program(null, null)], over }, "c", versions)).toEqual([]);
  expect(attachable({ state: "running", programs, over }, "c", versions)).toEqual([]);
  const clips = { drives: null, clips: { filter: null, filter_lang: "cql2-text" as const, limit: 5 } };
  expect(attachable({ state: "done", programs, over: clips }, "c", versions)).toEqual([]);
});
