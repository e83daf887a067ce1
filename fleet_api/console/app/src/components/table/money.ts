// Columns of money: shown with two digits, sorted by size, and exact to the last digit in the CSV.
import { money } from "../../format/format";
import type { Column } from "./table";

/** A column of amounts as the API has them, decimal texts; null for one that is not known. */
export function moneyColumn<Row>(name: string, title: string, of: (row: Row) => string | null, currency: (row: Row) => string): Column<Row> {
  const value = (row: Row) => (of(row) === null ? null : Number(of(row)));
  return { name, title, value, written: of, text: (row) => money(of(row), currency(row)), isNumber: true };
}
