// States of campaign versions: their tone, how a rollout's stage is written, and what has no version yet.
import type { Schemas } from "../../api/types";
import type { Tone } from "../../components/tones";
import { percent } from "../../format/format";

export type CampaignState = Schemas["CampaignState"];

const TONES: Record<CampaignState, Tone> = {
  draft: "neutral",
  submitted: "warning",
  approved: "neutral",
  active: "good",
  paused: "warning",
  completed: "neutral",
  stopped: "bad",
};

export function toneOf(state: CampaignState): Tone {
  return TONES[state];
}

/** `2 of 3: 50 % of the fleet`; empty for a version that does not run. */
export function stageText(stage: Schemas["StageView"] | null): string {
  if (stage === null) return "";
  const share = `${percent(stage.share)} of the fleet`;
  return stage.stages === 1 ? share : `${stage.number} of ${stage.stages}: ${share}`;
}

/** Whether a version waits for approval, so that a report may still be attached to it. */
export function waits({ state }: { state: CampaignState }): boolean {
  return state === "draft" || state === "submitted";
}

/** What addresses have in place of the name of a campaign that is not saved yet: no name has a hyphen. */
export const NEW_CAMPAIGN = "new-campaign";

/** The version that runs, else the newest; undefined for an empty list. */
export function shownVersion<V extends { state: CampaignState }>(newestFirst: readonly V[]): V | undefined {
  return newestFirst.find(({ state }) => state === "active" || state === "paused") ?? newestFirst[0];
}
