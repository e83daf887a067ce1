// The API's types by their names in the OpenAPI document, and the funnel of a campaign's fires.
import type { components } from "./schema";

export type Schemas = components["schemas"];
export type CampaignSummary = Schemas["CampaignSummary"];
export type CampaignDetails = Schemas["CampaignDetails"];
export type Account = Schemas["AccountView"];
export type Outcomes = Schemas["OutcomesView"];
export type Me = Schemas["MeView"];

/** The members of a funnel that add up to what fired, in their order, with the words for them. */
export const OUTCOMES = [
  ["sampled_out", "sampled out"],
  ["refused", "refused"],
  ["dropped", "dropped"],
  ["failed", "failed"],
  ["catalogued", "catalogued"],
  ["in_flight", "in flight"],
] as const;

/** How many fires had this outcome; those with reasons are summed over them. */
export function outcome(outcomes: Outcomes, name: (typeof OUTCOMES)[number][0]): number {
  const value = outcomes[name];
  return typeof value === "number" ? value : Object.values(value).reduce((sum, count) => sum + count, 0);
}
