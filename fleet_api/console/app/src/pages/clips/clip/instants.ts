// The instants of a clip that its player marks: when its triggers fired.
import type { Schemas } from "../../../api/types";

type Details = Schemas["ClipDetailsView"];
export interface Instant {
  /** In s after the clip's start. */
  t: number;
  title: string;
}

/** When each trigger fired, in order; campaigns whose triggers have one name may have fired at one instant, which is one. */
export function instantsOf({ start, fires }: Pick<Details, "start" | "fires">): Instant[] {
  const found = new Map<string, Instant>();
  for (const { trigger, fire_time } of fires) {
    found.set(`${fire_time} ${trigger}`, { t: (Date.parse(fire_time) - Date.parse(start)) / 1000, title: trigger });
  }
  return [...found.values()].sort((a, b) => a.t - b.t);
}
