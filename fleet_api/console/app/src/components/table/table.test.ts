// What table.ts promises: numbers by size, names as people read them, what is not known last in both directions.
import { expect, it } from "vitest";
import { keyed, sorted, type Column } from "./table";

interface Row {
  name: string;
  size: number | null;
}
const columns: Column<Row>[] = [
  { name: "name", title: "Name", value: (row) => row.name },
  { name: "size", title: "Size", value: (row) => row.size },
];
const rows: Row[] = [
  { name: "car-10", size: 9 },
  { name: "car-9", size: null },
  { name: "Car-1", size: 100 },
];
const names = (name: string, descending: boolean) =>
  sorted(rows, columns, { name, descending }).map((row) => row.name);

it("sorts names with their numbers", () => expect(names("name", false)).toEqual(["Car-1", "car-9", "car-10"]));
it("sorts numbers by size, and what is not known last", () => {
  expect(names("size", false)).toEqual(["car-10", "Car-1", "car-9"]);
  expect(names("size", true)).toEqual(["Car-1", "car-10", "car-9"]);
});
it("leaves rows as they are without an order, and for a column that does not exist", () => {
  expect(sorted(rows, columns, null)).toEqual(rows);
  expect(names("nothing", true)).toEqual(["car-10", "car-9", "Car-1"]);
});
it("tells rows of the same key apart, and keeps what identifies the others", () => {
  const ids = (keys: string[]) => keyed(keys, (key) => key).map(({ id }) => id);
  expect(new Set(ids(["a", "b", "a", "a", "0 a"])).size).toBe(5);
  expect(ids(["b", "a"])).toEqual(ids(["a", "b"]).toReversed());
});
