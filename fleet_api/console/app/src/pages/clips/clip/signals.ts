// The signals of a clip, read in the browser from the Parquet file that extraction made.
import { decompress } from "fzstd";
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from "hyparquet";

export interface ClipSignals {
  /** The times of all rows, in s after the clip's start. */
  t: number[];
  /** By name: a value for each row; null where the signal had no sample. */
  columns: Map<string, (number | null)[]>;
}

/** A file larger than this is not read whole: the command line reads the part that is needed. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

const compressors = {
  ZSTD: (input: Uint8Array, length: number) => decompress(input, new Uint8Array(length)),
};

/** All signals of the file at a link; `sizeBytes` is its size. */
export async function readSignals(url: string, sizeBytes: number, signal: AbortSignal): Promise<ClipSignals> {
  const file = await asyncBufferFromUrl({ url, byteLength: sizeBytes, requestInit: { signal } });
  const metadata = await parquetMetadataAsync(file);
  const rows = await parquetReadObjects({ file, metadata, compressors });
  const names = metadata.schema.slice(1).map((element) => element.name).filter((name) => name !== "t");
  const value = (cell: unknown) => (typeof cell === "number" && Number.isFinite(cell) ? cell : null);
  return {
    t: rows.map((row) => Number(row.t)),
    columns: new Map(names.map((name) => [name, rows.map((row) => value(row[name]))])),
  };
}

export interface Plot {
  title: string;
  x: number[];
  series: { name: string; title: string; values: (number | null)[]; colour?: "active" | "shadow"; shape?: "steps" | "line" }[];
  /** Where active and shadow differ, from and until. */
  disagreement: [number, number][];
}

/** The names of what is plotted: heads once (`cut_in.detected` for active and shadow), then the other signals. */
export function plottable(signals: ClipSignals): string[] {
  const names = [...signals.columns.keys()];
  const heads = names.filter((name) => name.startsWith("active.")).map((name) => name.slice("active.".length));
  const pairs = heads.filter((head) => signals.columns.has(`shadow.${head}`));
  const inPairs = new Set(pairs.flatMap((head) => [`active.${head}`, `shadow.${head}`]));
  return [...pairs, ...names.filter((name) => !inPairs.has(name))];
}

/** The plot of a name of `plottable`: active over shadow for a head. */
export function plotOf(signals: ClipSignals, name: string, unit: string | null | undefined): Plot {
  const [active, shadow] = [signals.columns.get(`active.${name}`), signals.columns.get(`shadow.${name}`)];
  const single = signals.columns.get(name);
  const sources = active && shadow ? [active, shadow] : [single ?? []];
  const rows = signals.t.map((_, row) => row).filter((row) => sources.some((source) => source[row] != null));
  const held = sources.map((source) => hold(source, rows));
  const x = rows.map((row) => signals.t[row] ?? 0);
  const title = unit ? `${name} in ${unit}` : name;
  const shape = held.every(isSwitch) ? "steps" : "line";
  if (!active || !shadow) return { title, x, series: [{ name, title: name, values: held[0] ?? [], shape }], disagreement: [] };
  const [a, s] = [held[0] ?? [], held[1] ?? []];
  return {
    title,
    x,
    series: [
      { name: `active.${name}`, title: "active", values: a, colour: "active", shape },
      { name: `shadow.${name}`, title: "shadow", values: s, colour: "shadow", shape },
    ],
    disagreement: shape === "steps" ? differing(x, a, s) : [],
  };
}

/** The values at some rows, each held until the next sample. */
function hold(source: readonly (number | null)[], rows: readonly number[]): (number | null)[] {
  let last: number | null = null;
  return rows.map((row) => (last = source[row] ?? last));
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
