// The filter of the search box: translated as the API takes it, its problem, and how many clips it admits.
import { api } from "../../api/client";
import type { Problem } from "../../api/problem";
import type { Schemas } from "../../api/types";
import { count } from "../../format/format";

/** The filter as the API takes it: units converted, times absolute. Empty stays empty. */
export async function translated(text: string, signal: AbortSignal): Promise<Schemas["FilterView"] | null> {
  return text.trim() === "" ? null : api.get("/v1/filter", { query: { filter: text }, signal });
}

/** A problem that is one of the filter itself, and not of the request. */
export function problemOfFilter(problem: Problem | undefined): Problem | undefined {
  return problem && (problem.status === 400 || problem.status === 422) ? problem : undefined;
}

/** How many clips there are; an estimate says so, with its interval. */
export function countText(found: Schemas["FacetsView"]["count"]): string {
  return found.exact ? count(found.clips) : `about ${count(found.clips)} (95 %: ${count(found.low)} to ${count(found.high)})`;
}
