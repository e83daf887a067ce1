// The fires of a backtest, or of two side by side: all pages of them, and the lanes of the timeline.
import { api } from "../../../../../api/client";
import { allPages } from "../../../../../api/pages";
import type { Schemas } from "../../../../../api/types";
import type { Lane, Mark } from "../../../../../components/timeline/timeline";

export type Fire = Schemas["BacktestFireView"];
export type RunDrive = Schemas["RunDriveView"];
/** A fire and the program that it is of, 0 or 1. */
export interface SidedFire {
  side: number;
  fire: Fire;
}
export type LaneOrder = "fires" | "given" | "changes";
const PAGE = 10_000;

/** All fires that are kept of each program. */
export async function firesOf(backtest: string, programs: number, signal: AbortSignal): Promise<SidedFire[]> {
  const sides = Array.from({ length: programs }, (_, side) => side);
  const found = await Promise.all(
    sides.map(async (side) => {
      const page = (position: string | undefined) =>
        api.get("/v1/backtests/{backtest_id}/fires", {
          path: { backtest_id: backtest },
          query: { program: side, position: Number(position ?? 0), limit: PAGE },
          signal,
        });
      const fires = await allPages(page, (each) => each.fires);
      return fires.map((fire) => ({ side, fire }));
    }),
  );
  return found.flat();
}

/** How an address names a fire of a drive: its program and its number. */
export function idOf({ side, fire }: SidedFire): string {
  return `${side}.${fire.number}`;
}

/** The triggers that fired or could have, in the order of the first program, then those of the second alone. */
export function triggersOf(reports: readonly Schemas["ReportView"][]): string[] {
  return [...new Set(reports.flatMap((report) => Object.keys(report.triggers)))];
}

/** A lane for each drive that ran in either program, with the fires of some triggers. */
export function lanesOf(reports: readonly Schemas["ReportView"][], fires: readonly SidedFire[], triggers: readonly string[]): Lane[] {
  const drives = new Map(reports.flatMap((report) => report.by_drive).map((drive) => [drive.drive, drive]));
  const marks = new Map<string, Mark[]>([...drives.keys()].map((name) => [name, []]));
  for (const each of fires) {
    const { fire, side } = each;
    const kind = triggers.indexOf(fire.trigger);
    if (kind >= 0) marks.get(fire.drive)?.push({ id: idOf(each), t: fire.t_s, kind, side, isAlone: fire.elsewhere === false });
  }
  return [...drives.values()].map((drive) => ({
    id: drive.drive,
    title: drive.drive,
    durationS: (drive.last_ns - drive.first_ns) / 1e9,
    marks: (marks.get(drive.drive) ?? []).sort((a, b) => a.t - b.t || a.kind - b.kind || a.side - b.side),
  }));
}

/** Lanes in another order; equal ones keep theirs. */
export function ordered(lanes: readonly Lane[], order: LaneOrder): Lane[] {
  const rank = (lane: Lane) => (order === "changes" ? lane.marks.filter((mark) => mark.isAlone).length : lane.marks.length);
  return order === "given" ? [...lanes] : [...lanes].sort((a, b) => rank(b) - rank(a));
}

/** What became of a fire, in words. */
export function outcomeText({ outcome, reason }: Fire): string {
  const words = { kept: "kept", sampled: "kept by chance", dropped: "dropped", uncollected: "not collected" } as const;
  return reason ? `${words[outcome]}: ${reason}` : words[outcome];
}
