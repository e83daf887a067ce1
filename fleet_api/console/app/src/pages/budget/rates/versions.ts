// What can be compared: the versions of a campaign, or of a component of the software on its vehicles.
import type { Schemas } from "../../../api/types";

type Rate = Schemas["RateView"];
type Comparison = Schemas["ComparisonView"];
type Compared = Schemas["CompareView"];

/** The labels of software in rates by component, in order; vehicles without the component have none. */
export function labelsOf(rates: readonly Rate[]): string[] {
  const found = new Set(rates.flatMap((rate) => (rate.software ? [rate.software] : [])));
  return [...found].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** The two that are compared: those of the address where they are there, else the last two. */
export function pairOf(labels: readonly string[], old: string | null, next: string | null): { old: string; new: string } | null {
  const [last, before] = [labels.at(-1), labels.at(-2)];
  if (last === undefined || before === undefined) return null;
  const known = (label: string | null) => (label !== null && labels.includes(label) ? label : null);
  const chosen = known(next) ?? (known(old) === last ? before : last);
  const against = known(old) ?? (chosen === before ? last : before);
  return against === chosen ? null : { old: against, new: chosen };
}

/** Whether a comparison is of these two, per this unit. */
export function answers(comparison: Comparison, pair: { old: string; new: string } | null, per: Comparison["per"]): boolean {
  return pair !== null && comparison.old === pair.old && comparison.new === pair.new && comparison.per === per;
}

export interface ComparedRow extends Compared {
  kind: "trigger" | "head" | "event";
}

/** All that is compared, one after the other: triggers, heads, their events. */
export function rowsOf(comparison: Comparison): ComparedRow[] {
  return [
    ...comparison.triggers.map((row) => ({ ...row, kind: "trigger" as const })),
    ...comparison.heads.map((row) => ({ ...row, kind: "head" as const })),
    ...comparison.events.map((row) => ({ ...row, kind: "event" as const })),
  ];
}
