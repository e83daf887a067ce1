// Limits that people set: which accounts may have one from whom, and an amount as it is typed.
import type { Body } from "../../../api/client";
import type { Account } from "../../../api/types";

export type LimitKind = Body<"/v1/budget/limits">["kind"];
const OF_CAMPAIGNS: readonly string[] = ["campaign_bytes", "campaign_clips", "trigger_bytes", "trigger_clips"];
const OF_OPERATORS: readonly string[] = ["fleet", "fleet_month", "cost_centre_month"];
const FACTORS: Record<string, number> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** What an account or a forecast is of: `braking`, `braking.cut_in` of a trigger's own budget, a cost centre or a network; empty for the fleet. */
export function ownerOf(of: Pick<Account, "campaign" | "trigger"> & Partial<Pick<Account, "cost_centre" | "network">>): string {
  const ofCampaign = of.trigger === "" ? of.campaign : `${of.campaign}.${of.trigger}`;
  return ofCampaign || of.cost_centre || of.network || "";
}

/** The kind of limit that an account can have; null if none, or if this person, who owns these campaigns, cannot set it. */
export function limitKind(account: Account, may: (role: "approver" | "operator") => boolean, owned: ReadonlySet<string>): LimitKind | null {
  const isOfCampaign = OF_CAMPAIGNS.includes(account.kind);
  if (!isOfCampaign && !OF_OPERATORS.includes(account.kind)) return null;
  if (!may("operator") && !(isOfCampaign && (may("approver") || owned.has(account.campaign)))) return null;
  return account.kind as LimitKind;
}

/** `80 MB` or `1500` as a number; undefined for what is no amount, such as nothing. */
export function amountOf(typed: string, unit: string): number | undefined {
  const text = typed.trim();
  const [, digits, suffix = ""] = /^(\d+(?:\.\d+)?)\s*([kMGT]?B)?$/i.exec(text) ?? [];
  if (digits === undefined || (unit !== "bytes" && suffix !== "")) return undefined;
  const amount = Number(digits) * (FACTORS[suffix.toLowerCase()] ?? Number.NaN);
  return Number.isSafeInteger(Math.round(amount)) && (unit === "bytes" || Number.isInteger(amount)) ? Math.round(amount) : undefined;
}
