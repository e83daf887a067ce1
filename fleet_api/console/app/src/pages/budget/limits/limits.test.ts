// What limits.ts promises: amounts as people type them, and limits offered only to those who may set them.
import { expect, it } from "vitest";
import type { Account } from "../../../api/types";
import { amountOf, limitKind } from "./limits";

it("reads bytes with and without a unit, and nothing as no limit", () => {
  expect(["80 MB", "1.5gb", "1500", " 12 B ", ""].map((text) => amountOf(text, "bytes"))).toEqual([80e6, 1.5e9, 1500, 12, null]);
});
it("refuses what is no amount, or has another unit", () => {
  expect(["much", "-5", "1e3", "80 MiB", "99999999999 TB"].map((text) => amountOf(text, "bytes"))).toEqual(Array(5).fill(undefined));
  expect(["12", "1.5", "80 MB"].map((text) => amountOf(text, "clips"))).toEqual([12, undefined, undefined]);
});
it("offers the fleet's limits to operators, those of campaigns to authors and approvers too, and a network's to nobody", () => {
  const account = (kind: Account["kind"]) => ({ kind }) as Account;
  const as = (role: string) => (asked: string) => role === asked;
  const offered = (role: string) => (["fleet", "campaign_bytes", "network_month"] as const).map((kind) => limitKind(account(kind), as(role)));
  expect(offered("operator")).toEqual(["fleet", "campaign_bytes", null]);
  expect(offered("author")).toEqual([null, "campaign_bytes", null]);
  expect(offered("viewer")).toEqual([null, null, null]);
});
