// The key figures of an attached report, in words: what was driven, rates with intervals, the forecast, budgets.
import type { Schemas } from "../../../../api/types";
import { bytes, count, counted, interval, number } from "../../../../format/format";

type Review = Pick<Schemas["ReviewView"], "report" | "forecast">;
type Expected = Schemas["Expected"];

/** A figure: its name and its text. */
export type Figure = [name: string, text: string];

/** The figures that an approver looks at first; none without a report. */
export function figuresOf({ report, forecast }: Review): Figure[] {
  if (!report) return [];
  const distance = report.km === null ? "" : `, ${number(report.km)} km`;
  const rates = Object.entries(report.triggers).map(([name, each]): Figure => {
    const rate = each.per_hour && interval(each.per_hour.mean, each.per_hour.low, each.per_hour.high);
    return [name, `${counted(each.fires, "fire")}${rate ? `, ${rate} per hour` : ""}`];
  });
  return [["Driven", `${counted(report.drives, "drive")}, ${number(report.hours)} h${distance}`], ...rates, ...expectedOf(forecast ?? null)];
}

function expectedOf(forecast: Review["forecast"] | null): Figure[] {
  if (!forecast) return [];
  const fleet = `${counted(forecast.vehicles, "vehicle")}, ${number(forecast.hours_per_day)} h per day`;
  const volume = Object.entries(forecast.triggers).map(([name, each]): Figure => [
    `Forecast of ${name}`,
    `${inBytes(each.bytes_per_fleet_day)} per day of ${fleet}`,
  ]);
  return [...volume, ...forecast.budgets.map(budgetOf)];
}

const LIMITS: Record<string, string> = {
  vehicle_day_bytes: "Budget per vehicle and day",
  total_bytes: "Budget in total",
  clips: "Budget of clips",
  vehicle_day_clips: "Budget of clips per vehicle and day",
  upload_bytes: "Largest upload",
};

function budgetOf(use: NonNullable<Review["forecast"]>["budgets"][number]): Figure {
  const text = use.limit.endsWith("clips") ? counted(use.amount, "clip") : bytes(use.amount);
  const days = use.days && `lasts ${interval(use.days.mean, use.days.low, use.days.high)} days`;
  const isExceeded = use.limit.startsWith("vehicle_day_") && use.per_day !== null && use.per_day.mean > use.amount;
  const larger = use.larger_clips > 0 && `${count(use.larger_clips)} of ${counted(use.clips, "clip")} are refused as too large`;
  const limit = LIMITS[use.limit] ?? use.limit;
  return [use.trigger ? `${limit}, of ${use.trigger}` : limit, [text, days, isExceeded && "more is expected", larger].filter(Boolean).join(", ")];
}

function inBytes(expected: Expected): string {
  return `${bytes(expected.mean)} (${bytes(expected.low)} to ${expected.high === null ? "no limit" : bytes(expected.high)})`;
}
