// Conditions that a click adds to the filter: they are written into the text, so that it says all of what is searched.
import { named } from "../../components/search/named";

/** A value as CQL2 text. */
export function literal(value: string | number | boolean): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** The condition that a property has a value. */
export function equals(property: string, value: string | number | boolean): string {
  return `${named(property)} = ${literal(value)}`;
}

/** The condition that a time lies in a range, from and until, and without, its end; in s since the epoch. */
export function within(property: string, fromS: number, untilS: number): string {
  const at = (s: number) => `TIMESTAMP('${new Date(s * 1000).toISOString()}')`;
  return `${property} >= ${at(fromS)} AND ${property} < ${at(untilS)}`;
}

/** The parts that a filter joins by AND at its top, in order; null if it is joined otherwise. */
export function parts(filter: string): string[] | null {
  const found: string[] = [];
  let depth = 0;
  let begin = 0;
  let isBetween = false;
  for (const token of filter.matchAll(/'(?:[^']|'')*'|"[^"]*"|[()]|\b(?:and|or|between)\b/gi)) {
    const word = token[0].toLowerCase();
    if (word === "(") depth += 1;
    else if (word === ")") depth -= 1;
    if (depth !== 0) continue;
    if (word === "or") return null;
    if (word === "between") isBetween = true;
    else if (word === "and" && isBetween) isBetween = false; // x BETWEEN a AND b
    else if (word === "and") {
      found.push(filter.slice(begin, token.index).trim());
      begin = token.index + token[0].length;
    }
  }
  found.push(filter.slice(begin).trim());
  return found.filter((part) => part !== "");
}

/** Whether the filter has a condition as one of those that it joins by AND. */
export function has(filter: string, condition: string): boolean {
  const wanted = parts(condition) ?? [condition];
  const there = parts(filter) ?? [];
  return wanted.every((part) => there.includes(part));
}

/** The filter with one more condition; what has an OR is put in brackets. */
export function added(filter: string, condition: string): string {
  const before = filter.trim();
  if (before === "") return condition;
  return `${parts(before) === null ? `(${before})` : before} AND ${condition}`;
}

/** The filter without a condition that it has. */
export function removed(filter: string, condition: string): string {
  const unwanted = parts(condition) ?? [condition];
  return (parts(filter) ?? [filter]).filter((part) => !unwanted.includes(part)).join(" AND ");
}

/** The filter without the bounds of a property, such as those that a brush has set before. */
export function withoutBounds(filter: string, property: string): string {
  const bound = new RegExp(`^${property.replaceAll(".", "\\.")} (>=|<) TIMESTAMP\\('[^']*'\\)$`);
  const there = parts(filter);
  return there === null ? filter : there.filter((part) => !bound.test(part)).join(" AND ");
}

/** The condition that a track meets a view of the map, whose east may be beyond 180, or whose west beyond -180. */
export function inView([west, south, east, north]: readonly [number, number, number, number]): string {
  const [first, last] = east - west >= 360 ? [-180, 180] : [turned(west), turned(east)]; // west > east crosses the antimeridian
  const sides = [first, Math.max(-90, south), last, Math.min(90, north)];
  return `S_INTERSECTS(geometry, BBOX(${sides.map((side) => side.toFixed(5)).join(", ")}))`;
}

/** The filter without the conditions of `inView` that it joins by AND. */
export function withoutViews(filter: string): string {
  const view = /^S_INTERSECTS\(geometry, BBOX\([^()]*\)\)$/;
  const there = parts(filter);
  return there === null ? filter : there.filter((part) => !view.test(part)).join(" AND ");
}

/** A longitude between -180 and 180. */
function turned(longitude: number): number {
  return longitude >= -180 && longitude <= 180 ? longitude : ((((longitude + 180) % 360) + 360) % 360) - 180;
}
