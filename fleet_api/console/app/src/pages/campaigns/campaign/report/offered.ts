// Which of one's backtests may be attached to a version: those over drives that are done, a choice for each program.
import type { Schemas } from "../../../../api/types";
import { counted } from "../../../../format/format";

type Backtest = Pick<Schemas["BacktestView"], "id" | "state" | "programs" | "over" | "created_at">;

export interface Choice {
  key: string;
  backtest: string;
  program: number;
  at: string;
  title: string;
}

/** The newest first, as they come. Those over clips have no forecast, and cannot be attached. */
export function offered(backtests: readonly Backtest[]): Choice[] {
  return backtests
    .filter((each) => each.state === "done" && each.over.drives)
    .flatMap((each) =>
      each.programs.map((program, number) => ({
        key: `${each.id}:${number}`,
        backtest: each.id,
        program: number,
        at: each.created_at,
        title: `${program.filename ?? `${program.campaign} version ${program.version}`}, ${counted(each.over.drives?.length ?? 0, "drive")}`,
      })),
    );
}
