// Columns of a table: what is shown, what it is sorted by, and what its CSV has.
import type { Snippet } from "svelte";
import type { Cell } from "./csv";

export interface Column<Row> {
  /** Its name in the CSV and in the address, such as `held_bytes`. */
  name: string;
  title: string;
  /** What rows are sorted by, and what the CSV has: a number without its unit, a time as ISO 8601. */
  value: (row: Row) => Cell;
  /** What the CSV has instead, where the value has lost something, such as the last digits of money. */
  written?: (row: Row) => Cell;
  /** How it is shown; by default the value. */
  text?: (row: Row) => string;
  /** For more than text, such as a link; `text` is not used then. */
  cell?: Snippet<[Row]>;
  /** Whether it is a number, which stands at the right. */
  isNumber?: boolean;
  /** Whether it has buttons and no values: nothing is sorted by it, and the CSV is without it. */
  isControl?: boolean;
  /** Whether it is sentences, such as reasons, which are broken into lines. */
  isProse?: boolean;
}

export interface Order {
  name: string;
  descending: boolean;
}

/** Rows in the order of a column; what is not known comes last, and equal ones keep their order. */
export function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: Order | null): Row[] {
  const column = columns.find((each) => each.name === order?.name);
  if (!column || !order) return [...rows];
  const sign = order.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => {
      const unknown = Number(isUnknown(a.value)) - Number(isUnknown(b.value));
      return unknown || sign * compared(a.value, b.value);
    })
    .map(({ row }) => row);
}

/** Rows with what identifies each while it is drawn: its key, and where several have the same one, the how manieth it is. */
export function keyed<Row>(rows: readonly Row[], key: (row: Row) => string | number): { id: string; row: Row }[] {
  const seen = new Map<string | number, number>();
  return rows.map((row) => {
    const own = key(row);
    const before = seen.get(own) ?? 0;
    seen.set(own, before + 1);
    return { id: `${before} ${own}`, row };
  });
}

function isUnknown(value: Cell): boolean {
  return value === null || value === undefined || value === "";
}

function compared(a: Cell, b: Cell): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""), "en", { numeric: true });
}

/** An order as the address has it: `name`, or `-name` for the largest first; null for none. */
export function orderOf(text: string | null): Order | null {
  if (!text) return null;
  return { name: text.replace(/^-/, ""), descending: text.startsWith("-") };
}

export function orderText(order: Order | null): string | null {
  return order && (order.descending ? "-" : "") + order.name;
}
