// Which triggers' fires are told by speed, place and hour: those that fired, the ones with the most fires first.
import type { Schemas } from "../../../../../api/types";

export interface Found {
  trigger: string;
  bins: Schemas["BreakdownView"];
}

/** None where it was not asked for. */
export function firedMost({ breakdown }: Pick<Schemas["ReportView"], "breakdown">): Found[] {
  const fires = ({ bins }: Found) => bins.speed.reduce((sum, bin) => sum + bin.fires, 0);
  return Object.entries(breakdown?.triggers ?? {})
    .map(([trigger, bins]) => ({ trigger, bins }))
    .filter((found) => fires(found) > 0)
    .sort((one, other) => fires(other) - fires(one));
}
