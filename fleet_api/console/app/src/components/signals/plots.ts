// What is plotted of signals: heads once, active over shadow, each value held until the next, and where both differ.

export interface Signals {
  /** The times of all rows, in s, in ascending order. */
  t: readonly number[];
  /** By name: a value for each row; null where the signal had no sample, NaN for one that was invalid. */
  columns: ReadonlyMap<string, readonly (number | null)[]>;
  /** The texts that values are places in, for signals of texts. */
  texts?: ReadonlyMap<string, readonly string[]>;
}

export interface Plot {
  title: string;
  x: number[];
  series: { name: string; title: string; values: (number | null)[]; colour?: "active" | "shadow"; shape?: "steps" | "line" }[];
  /** Where active and shadow differ, from and until. */
  disagreement: [number, number][];
  /** The texts that values are places in; undefined for numbers. */
  texts: readonly string[] | undefined;
}

/** The names of what is plotted: heads once (`cut_in.detected` for active and shadow), then the other signals. */
export function plottable(signals: Signals): string[] {
  const names = [...signals.columns.keys()];
  const heads = names.filter((name) => name.startsWith("active.")).map((name) => name.slice("active.".length));
  const pairs = heads.filter((head) => signals.columns.has(`shadow.${head}`));
  const inPairs = new Set(pairs.flatMap((head) => [`active.${head}`, `shadow.${head}`]));
  return [...pairs, ...names.filter((name) => !inPairs.has(name))];
}

/** The plot of a name of `plottable`: active over shadow for a head. */
export function plotOf(signals: Signals, name: string, unit: string | null | undefined): Plot {
  const [active, shadow] = [signals.columns.get(`active.${name}`), signals.columns.get(`shadow.${name}`)];
  const single = signals.columns.get(name);
  const sources = active && shadow ? [active, shadow] : [single ?? []];
  const rows = signals.t.map((_, row) => row).filter((row) => sources.some((source) => source[row] != null));
  const held = sources.map((source) => hold(source, rows));
  const x = rows.map((row) => signals.t[row] ?? 0);
  const title = unit ? `${name} in ${unit}` : name;
  const texts = signals.texts?.get(active && shadow ? `active.${name}` : name);
  const shape = texts || held.every(isSwitch) ? "steps" : "line";
  if (!active || !shadow) return { title, x, series: [{ name, title: name, values: held[0] ?? [], shape }], disagreement: [], texts };
  const [a, s] = [held[0] ?? [], held[1] ?? []];
  return {
    title,
    x,
    series: [
      { name: `active.${name}`, title: "active", values: a, colour: "active", shape },
      { name: `shadow.${name}`, title: "shadow", values: s, colour: "shadow", shape },
    ],
    disagreement: shape === "steps" ? differing(x, a, s) : [],
    texts,
  };
}

/** The values at some rows, each held until the next sample; null after one that was invalid. */
function hold(source: readonly (number | null)[], rows: readonly number[]): (number | null)[] {
  let last: number | null = null;
  return rows.map((row) => {
    last = source[row] ?? last;
    return Number.isNaN(last) ? null : last;
  });
}

function isSwitch(values: readonly (number | null)[]): boolean {
  return values.every((value) => value === null || value === 0 || value === 1);
}

/** The parts in which both are known and differ. */
export function differing(x: readonly number[], a: readonly (number | null)[], b: readonly (number | null)[]): [number, number][] {
  const found: [number, number][] = [];
  let since: number | null = null;
  for (const [row, at] of x.entries()) {
    const [left, right] = [a[row] ?? null, b[row] ?? null];
    const differs = left !== null && right !== null && left !== right;
    if (differs && since === null) since = at;
    if (!differs && since !== null) {
      found.push([since, at]);
      since = null;
    }
  }
  if (since !== null) found.push([since, x.at(-1) ?? since]);
  return found;
}
