// How an estimate with its interval is written where it has a unit.
import type { Expected } from "./types";

/** `1.5 MB (1.2 MB to 1.9 MB)`; an interval without an upper end says so, and what is not known is a dash. */
export function intervalText(expected: Expected | null | undefined, text: (value: number) => string): string {
  if (!expected) return "–";
  return `${text(expected.mean)} (${text(expected.low)} to ${expected.high === null ? "no limit" : text(expected.high)})`;
}
