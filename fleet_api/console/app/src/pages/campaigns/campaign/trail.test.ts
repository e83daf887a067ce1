// What trail.ts promises: entries of the audit log in words that say what was done and what changed.
import { expect, it } from "vitest";
import { actionText, changeText, versionOf } from "./trail";

it("says what was done, and leaves what it does not know", () => {
  expect([actionText("campaign.hold"), actionText("campaign.juggle")]).toEqual(["held", "campaign.juggle"]);
});
it("knows the version that an entry is about", () => {
  const entry = { before: null, after: null };
  expect([versionOf({ ...entry, object: "braking/12" }), versionOf({ ...entry, object: "braking" })]).toEqual([12, null]);
});
it("says what changed, and nothing of what did not", () => {
  const change = (before: Record<string, unknown> | null, after: Record<string, unknown> | null) => changeText({ object: "braking/1", before, after });
  expect(change(null, { state: "draft", approval_digest: "ab" })).toBe("draft");
  expect(change({ state: "submitted" }, { state: "active", self_approval: false })).toBe("submitted → active");
  expect(change({ state: "submitted" }, { state: "active", self_approval: true })).toBe("submitted → active, by its own author");
  expect(change({ state: "active" }, { state: "active", stage: { number: 1, stages: 3, share: 0.1 } })).toBe("stage 1 of 3");
  expect(change({ owner: "ann", cost_centre: "" }, { owner: "ann", cost_centre: "maps" })).toBe("cost centre none → maps");
  expect(change({ amount: null, zone: null }, { amount: 5, zone: null })).toBe("amount none → 5");
  expect(change({ state: "draft" }, null)).toBe("");
});
