// How an estimate with its interval is written where it has a unit, and a ratio of two rates, which may have no estimate.
import type { Schemas } from "../../../../api/types";
import { interval, number } from "../../../../format/format";
import type { Expected } from "./types";

/** `1.5 MB (1.2 MB to 1.9 MB)`; an interval without an upper end says so, and what is not known is a dash. */
export function intervalText(expected: Expected | null | undefined, text: (value: number) => string): string {
  if (!expected) return "–";
  return `${text(expected.mean)} (${text(expected.low)} to ${expected.high === null ? "no limit" : text(expected.high)})`;
}

/** `1.5 (1.1 to 2)`; `at least 3.2` where the other program has no fire to divide by, and a dash where nothing is compared. */
export function ratioText(ratio: Schemas["PairedRatioView"] | null | undefined): string {
  if (!ratio) return "–";
  if (ratio.estimate !== null) return interval(ratio.estimate, ratio.low, ratio.high);
  return ratio.low > 0 ? `at least ${number(ratio.low)}` : "not known";
}
