// Entries of a campaign's trail in words: what was done, with which version, and what changed by it.
import type { Schemas } from "../../../api/types";

type Entry = Pick<Schemas["TrailEntryView"], "object" | "before" | "after">;

const WORDS: Record<string, string> = {
  apply: "applied",
  submit: "submitted",
  report: "attached a report",
  approve: "approved",
  reject: "rejected",
  sign: "signed",
  hold: "held",
  pause: "paused",
  resume: "resumed",
  stop: "stopped",
  assign: "assigned",
  "budget.limit": "limited",
};

/** `approved` for `campaign.approve`; an action without a word of its own as it is. */
export function actionText(action: string): string {
  return WORDS[action.replace("campaign.", "")] ?? action;
}

/** The number of the version that an entry is about; null for one about the campaign. */
export function versionOf(entry: Entry): number | null {
  const number = /\/(\d+)$/.exec(entry.object)?.[1];
  return number === undefined ? null : Number(number);
}

/** What an entry changed: `submitted → active`, `stage 1 of 3: 10 %` of a hold, or the owner before and after. */
export function changeText({ before, after }: Entry): string {
  if (after === null) return "";
  const parts = ["state", "owner", "cost_centre", "amount"].flatMap((name) => changed(name, before?.[name], after[name]));
  const stage: unknown = after.stage;
  if (isStage(stage)) parts.push(`stage ${stage.number} of ${stage.stages}`);
  if (after.self_approval === true) parts.push("by its own author");
  return parts.join(", ");
}

function changed(name: string, before: unknown, after: unknown): string[] {
  if (after === undefined || before === after) return [];
  const words = name === "state" ? "" : `${name.replace("_", " ")} `;
  return [before === undefined ? `${words}${shown(after)}` : `${words}${shown(before)} → ${shown(after)}`];
}

function shown(value: unknown): string {
  return value === "" || value === null ? "none" : String(value);
}

function isStage(value: unknown): value is { number: number; stages: number } {
  return typeof value === "object" && value !== null && "number" in value && "stages" in value;
}
