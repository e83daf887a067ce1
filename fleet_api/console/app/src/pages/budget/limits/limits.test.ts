// What limits.ts promises: amounts as people type them, and limits offered only to those who may set them.
import { expect, it } from "vitest";
import type { Account } from "../../../api/types";
import { amountOf, limitKind, ownerOf } from "./limits";

it("reads bytes with and without a unit", () => {
  expect(["80 MB", "1.5gb", "1500", " 12 B "].map((text) => amountOf(text, "bytes"))).toEqual([80e6, 1.5e9, 1500, 12]);
});
it("refuses what is no amount, above all nothing, or has another unit", () => {
  expect(["", " ", "much", "-5", "1e3", "80 MiB", "99999999999 TB"].map((text) => amountOf(text, "bytes"))).toEqual(Array(7).fill(undefined));
  expect(["12", "1.5", "80 MB"].map((text) => amountOf(text, "clips"))).toEqual([12, undefined, undefined]);
});
it("names a trigger with its campaign, as limits of triggers are named", () => {
  const account = { campaign: "braking", trigger: "", cost_centre: "", network: "" } as Account;
  expect([account, { ...account, trigger: "cut_in" }, { ...account, campaign: "", cost_centre: "maps" }].map(ownerOf)).toEqual(["braking", "braking.cut_in", "maps"]);
});
it("offers the fleet's limits to operators, those of campaigns and triggers to approvers and their owners too, and a network's to nobody", () => {
  const account = (kind: Account["kind"]) => ({ kind, campaign: kind.endsWith("_bytes") ? "braking" : "" }) as Account;
  const as = (role: string) => (asked: string) => role === asked;
  const kinds = ["fleet", "campaign_bytes", "trigger_bytes", "network_month"] as const;
  const offered = (role: string, ...owned: string[]) => kinds.map((kind) => limitKind(account(kind), as(role), new Set(owned)));
  expect(offered("operator")).toEqual(["fleet", "campaign_bytes", "trigger_bytes", null]);
  expect(offered("approver")).toEqual([null, "campaign_bytes", "trigger_bytes", null]);
  expect(offered("author", "lanes", "braking")).toEqual([null, "campaign_bytes", "trigger_bytes", null]);
  expect(offered("author", "lanes")).toEqual([null, null, null, null]);
  expect(offered("viewer")).toEqual([null, null, null, null]);
});
