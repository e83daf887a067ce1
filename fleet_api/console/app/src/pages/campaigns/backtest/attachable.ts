// Which versions a backtest's report can be attached to: those that it ran as they are, and that wait for approval.
import type { Schemas } from "../../../api/types";
import { waits } from "../states";

type Backtest = Pick<Schemas["BacktestView"], "state" | "programs" | "over">;
type Version = Pick<Schemas["CampaignSummary"], "version" | "state">;

export interface Attachable {
  version: number;
  /** Which of the backtest's programs it is. */
  program: number;
}

/** None for a backtest over clips, which has no forecast; a text that is not a version yet is not among them. */
export function attachable(backtest: Backtest, campaign: string, versions: readonly Version[]): Attachable[] {
  if (backtest.state !== "done" || !backtest.over.drives) return [];
  const waiting = new Set(versions.filter(waits).map(({ version }) => version));
  return backtest.programs.flatMap((each, program) =>
    each.campaign === campaign && each.version !== null && waiting.has(each.version) ? [{ version: each.version, program }] : [],
  );
}
