// Estimates in tables: the mean and the ends of its interval, each in a column of its own, so that a CSV has numbers.
import type { Schemas } from "../../api/types";
import { number, percent } from "../../format/format";
import type { Column } from "../table/table";

/** An estimate, or a ratio, whose mean may not be known. */
type Estimate = Pick<Schemas["Estimate"], "low" | "high"> & { mean: number | null };
const ENDS = [
  ["", "", "mean"],
  ["_low", "low", "low"],
  ["_high", "high", "high"],
] as const;

function columns<Row>(name: string, title: string, of: (row: Row) => Estimate | null, text: (value: number | null | undefined) => string): Column<Row>[] {
  return ENDS.map(([suffix, word, end]) => ({
    name: name + suffix,
    title: word === "" ? title : `${title}, ${word}`,
    value: (row) => of(row)?.[end],
    text: (row) => (end === "high" && of(row)?.high === null ? "no end" : text(of(row)?.[end])),
    isNumber: true,
  }));
}

/** An estimate of a share, in percent. */
export function shareColumns<Row>(name: string, title: string, of: (row: Row) => Estimate | null): Column<Row>[] {
  return columns(name, title, of, (value) => percent(value, 2));
}

/** An estimate of a rate. */
export function rateColumns<Row>(name: string, title: string, of: (row: Row) => Estimate | null): Column<Row>[] {
  return columns(name, title, of, (value) => number(value));
}

/** An estimate of a factor, such as of one rate by another. */
export function factorColumns<Row>(name: string, title: string, of: (row: Row) => Estimate | null): Column<Row>[] {
  return columns(name, title, of, factor);
}

/** How a factor is written: `× 1.23`. */
export function factor(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : `× ${number(value)}`;
}
