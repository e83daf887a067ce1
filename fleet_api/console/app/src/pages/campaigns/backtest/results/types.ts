// The parts of a backtest's results by the names that its tabs use.
import type { Schemas } from "../../../../api/types";

export type Page = Schemas["BacktestPage"];
export type Result = Page["results"][number];
export type Report = Result["report"];
export type Comparison = NonNullable<Page["comparison"]>;
export type SweepResult = NonNullable<Result["sweep"]>;
export type ReportForecast = NonNullable<Report["forecast"]>;
export type TriggerForecast = ReportForecast["triggers"][string];
export type Expected = TriggerForecast["bytes_per_vehicle_day"];

export interface Shown {
  page: Page;
  /** What each program is called. */
  titles: readonly string[];
}
