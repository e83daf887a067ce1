// What steps.ts promises: a step is offered to those who may take it, in the states in which it works.
import { describe, expect, it } from "vitest";
import type { Role } from "../../../shell/session.svelte";
import { approvedBefore, isOwn, needsAnother, stepsOf, stoppedBy, type Person, type StepVersion } from "./steps";

const stage = { number: 1, stages: 2, share: 0.1, ends_at: null };
function version(changes: Partial<StepVersion> = {}): StepVersion {
  return { state: "active", held_at: null, stage, author_id: 1, submitted_by_id: 2, ...changes };
}
function person(id: number, ...roles: Role[]): Person {
  return { id, may: (role) => roles.includes(role) || roles.includes("admin"), mayApproveOwn: false };
}
function offered(of: StepVersion, to: Person): string {
  return stepsOf(of, to).map((step) => step.name).join(" ");
}

describe("steps", () => {
  it("are those of the state", () => {
    const admin = person(9, "admin");
    expect(offered(version({ state: "draft", stage: null }), admin)).toBe("submit stop");
    expect(offered(version({ state: "submitted", stage: null }), admin)).toBe("approve reject stop");
    expect(offered(version({ state: "approved", stage: null }), admin)).toBe("stop");
    expect(offered(version(), admin)).toBe("hold pause stop");
    expect(offered(version({ state: "paused" }), admin)).toBe("resume stop");
    expect(offered(version({ state: "completed" }), admin)).toBe("");
    expect(offered(version({ state: "stopped" }), admin)).toBe("");
  });
  it("let a rollout that is held go on, and hold none in its last stage", () => {
    expect(offered(version({ held_at: "2026-01-05T12:00:00Z" }), person(9, "approver"))).toBe("pause resume stop");
    expect(offered(version({ stage: { ...stage, number: 2 } }), person(9, "approver"))).toBe("pause stop");
  });
  it("are for authors only of what they wrote or submitted", () => {
    expect([1, 2, 3].map((id) => offered(version(), person(id, "author")))).toEqual(["hold pause stop", "hold pause stop", ""]);
    expect(offered(version({ state: "submitted" }), person(1, "author"))).toBe("stop");
  });
  it("tell who wrote or submitted the version, who may not approve it in most deployments, from others", () => {
    expect([1, 2, 3].map((id) => isOwn(version({ state: "submitted" }), { id }))).toEqual([true, true, false]);
    expect(isOwn(version({ submitted_by_id: null }), { id: 3 })).toBe(false);
  });
  it("do not let people approve what is their own, unless the deployment does, and say that another has to", () => {
    const submitted = version({ state: "submitted" });
    const both = person(1, "author", "approver");
    expect([offered(submitted, both), needsAnother(submitted, both)]).toEqual(["reject stop", true]);
    expect([offered(submitted, person(3, "approver")), needsAnother(submitted, person(3, "approver"))]).toEqual(["approve reject stop", false]);
    const allowed = { ...both, mayApproveOwn: true };
    expect([offered(submitted, allowed), needsAnother(submitted, allowed)]).toEqual(["approve reject stop", false]);
    expect([needsAnother(version(), both), needsAnother(submitted, person(1, "author"))]).toEqual([false, false]);
  });
  it("are none for those who only read", () => {
    for (const state of ["draft", "submitted", "active", "paused"] as const) {
      expect(offered(version({ state }), person(1, "viewer", "operator"))).toBe("");
    }
  });
});

describe("what an approval stops", () => {
  const versions = (...states: StepVersion["state"][]) => states.map((state, index) => ({ version: states.length - index, state }));
  it("is the version that runs or is paused, and the one that waits for its first day", () => {
    expect(stoppedBy(versions("submitted", "active", "stopped"), 3)).toBe("Version 2, which runs now, is stopped once this one begins.");
    expect(stoppedBy(versions("submitted", "approved", "paused"), 3)).toBe(
      "Version 1, which is paused, is stopped once this one begins. Version 2, which waits for its first day, is stopped at once.",
    );
  });
  it("is nothing where none runs", () => {
    expect(stoppedBy(versions("submitted", "draft", "completed", "stopped"), 4)).toBe("");
  });
});

describe("the version approved before", () => {
  const at = (version: number, approved_at: string | null) => ({ version, approved_at });
  it("is the last that was approved, whatever its number", () => {
    expect(approvedBefore([at(4, null), at(3, "2026-01-02"), at(2, "2026-01-05"), at(1, "2026-01-01")], 4)?.version).toBe(2);
  });
  it("is none where none was, and never the version itself", () => {
    expect(approvedBefore([at(2, null), at(1, null)], 2)).toBeUndefined();
    expect(approvedBefore([at(1, "2026-01-01")], 1)).toBeUndefined();
  });
});
