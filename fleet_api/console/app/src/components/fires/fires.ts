// What became of fires: summed over campaign versions, the reasons why some did not become clips, and day by day.
import type { Outcomes, Schemas } from "../../api/types";
import type { Series } from "../chart/charts";

export type VersionOutcomes = Schemas["CampaignOutcomesView"];
export interface Reason {
  outcome: "refused" | "dropped" | "failed";
  reason: string;
  fires: number;
}
const COUNTS = ["fired", "suppressed", "sampled_out", "catalogued", "expired", "erased", "in_flight", "unaccounted", "overruled", "armed_ns", "distance_m"] as const;
const REASONED = ["refused", "dropped", "failed"] as const;

/** The outcomes of several versions together: each fire is of one version, so all counts add up. */
export function together(versions: readonly Outcomes[]): Outcomes {
  const sum = (of: (each: Outcomes) => number) => versions.reduce((before, each) => before + of(each), 0);
  const merged = (of: (each: Outcomes) => Record<string, number>) => {
    const found: Record<string, number> = {};
    for (const [name, fires] of versions.flatMap((each) => Object.entries(of(each)))) found[name] = (found[name] ?? 0) + fires;
    return found;
  };
  const counts = Object.fromEntries(COUNTS.map((name) => [name, sum((each) => each[name])])) as Record<(typeof COUNTS)[number], number>;
  return {
    ...counts,
    refused: merged((each) => each.refused),
    dropped: merged((each) => each.dropped),
    failed: merged((each) => each.failed),
    per_trigger: merged((each) => each.per_trigger),
  };
}

/** Every reason with its fires, the most frequent first. */
export function reasonsOf(outcomes: Outcomes): Reason[] {
  const found = REASONED.flatMap((outcome) => Object.entries(outcomes[outcome]).map(([reason, fires]) => ({ outcome, reason, fires })));
  return found.filter((each) => each.fires > 0).sort((a, b) => b.fires - a.fires);
}

/** What is counted day by day of fires, with the words for it; what is on its way is no count of a day. */
const DAILY = [
  ["fires", "reported by vehicles"],
  ["kept_fires", "in stored clips"],
  ["sampled_out", "sampled out"],
  ["refused", "refused"],
  ["dropped", "dropped"],
  ["failed", "failed"],
  ["suppressed", "suppressed by cooldowns"],
] as const;

/** Fires by the days on which they were reported or stored, as series over `days` (s since the epoch). */
export function dailyOf(groups: readonly Schemas["UsageView"][], days: readonly number[]): { x: number[]; series: Series[] } {
  const byDay = new Map(groups.map((group) => [Date.parse(group.day ?? "") / 1000, group]));
  const series = DAILY.map(([name, title]) => ({ name, title, values: days.map((day) => byDay.get(day)?.[name] ?? 0) }));
  return { x: [...days], series };
}
