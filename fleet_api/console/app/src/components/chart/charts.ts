// What charts have in common: their series, colours and dashes, and the rows of their table and CSV.
import type { Cell } from "../table/csv";
import type { Column } from "../table/table";

export interface Series {
  /** Its name in the CSV, such as `active_bytes`. */
  name: string;
  title: string;
  /** One value for each x; null where there is none. */
  values: readonly (number | null)[];
  /** Which of the colours `--series-1` to `--series-8`; by default by its place. `active` and `shadow` are those two. */
  colour?: number | "active" | "shadow";
  /** Drawn as steps (a value holds until the next), as bars, or as a line. */
  shape?: "line" | "steps" | "bars";
  /** The band around it, such as an interval. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
}

export interface ChartRow {
  x: number;
  index: number;
}

const DASHES: readonly number[][] = [[], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 4], [1, 3], [10, 2, 2, 2]];

/** The dash of the n-th series, so that series are told apart without their colours. */
export function dash(index: number): number[] {
  return [...(DASHES[index % DASHES.length] ?? [])];
}

/** The CSS property with a series' colour. */
export function colourOf(series: Series, index: number): string {
  if (typeof series.colour === "string") return `--${series.colour}`;
  return `--series-${((series.colour ?? index + 1) - 1) % 8 + 1}`;
}

/** The chart as a table: a row for each x, a column for each series and the ends of its band. */
export function columnsOf(
  series: readonly Series[],
  x: { name: string; title: string; text: (x: number) => string; value?: (x: number) => Cell },
  text: (value: number | null) => string,
): Column<ChartRow>[] {
  const first: Column<ChartRow> = {
    name: x.name,
    title: x.title,
    value: (row) => (x.value ? x.value(row.x) : row.x),
    text: (row) => x.text(row.x),
  };
  const of = (name: string, title: string, values: readonly (number | null)[]): Column<ChartRow> => ({
    name,
    title,
    isNumber: true,
    value: (row) => values[row.index] ?? null,
    text: (row) => text(values[row.index] ?? null),
  });
  const rest = series.flatMap((each) => [
    of(each.name, each.title, each.values),
    ...(each.low ? [of(`${each.name}_low`, `${each.title}, low`, each.low)] : []),
    ...(each.high ? [of(`${each.name}_high`, `${each.title}, high`, each.high)] : []),
  ]);
  return [first, ...rest];
}

/** How far the ticks of an axis of counts may be apart: there is nothing between two whole numbers. */
export const WHOLE_STEPS: number[] = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/** A tick of an axis of time, in UTC: the day for steps of days, else the time, with the day at midnight. */
export function tickText(seconds: number, stepSeconds: number): string {
  const [date, clock] = new Date(seconds * 1000).toISOString().slice(0, 19).split("T") as [string, string];
  if (stepSeconds >= 86400) return date;
  if (clock === "00:00:00") return `${date}\n00:00`;
  return stepSeconds >= 60 ? clock.slice(0, 5) : stepSeconds >= 1 ? clock : clock.slice(3) + fraction(seconds);
}

function fraction(seconds: number): string {
  return (seconds % 1).toFixed(3).slice(1);
}
