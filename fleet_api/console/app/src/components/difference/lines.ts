// The difference of two texts line by line: what is equal, removed and added, with equal lines far from it left out.

export interface Row {
  kind: "same" | "removed" | "added";
  text: string;
}
/** Equal lines that are not shown. */
export interface Gap {
  kind: "gap";
  count: number;
}

/** Texts with more changed lines on both sides are shown as wholly replaced: comparing takes their product. */
const MOST_COMPARED = 4_000_000;
const CONTEXT = 3;

/** All lines of both texts, in order. */
export function lineRows(old: string, other: string): Row[] {
  const before = old.split("\n");
  const after = other.split("\n");
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const same = (text: string): Row => ({ kind: "same", text });
  return [
    ...before.slice(0, start).map(same),
    ...changed(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

/** What differs, with some equal lines around it. */
export function hunks(old: string, other: string): (Row | Gap)[] {
  const rows = lineRows(old, other);
  const isNear = rows.map((_, index) =>
    rows.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== "same"),
  );
  const shown: (Row | Gap)[] = [];
  for (const [index, row] of rows.entries()) {
    const last = shown.at(-1);
    if (isNear[index]) shown.push(row);
    else if (last?.kind === "gap") last.count += 1;
    else shown.push({ kind: "gap", count: 1 });
  }
  return shown;
}

function changed(before: readonly string[], after: readonly string[]): Row[] {
  const removed = before.map((text): Row => ({ kind: "removed", text }));
  const added = after.map((text): Row => ({ kind: "added", text }));
  if (before.length * after.length > MOST_COMPARED) return [...removed, ...added];
  const lengths = commonLengths(before, after);
  const width = after.length + 1;
  const rows: Row[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [one, two] = [before[i], after[j]];
    if (one !== undefined && one === two) {
      rows.push({ kind: "same", text: one });
      i += 1;
      j += 1;
    } else if (one !== undefined && (two === undefined || at(lengths, (i + 1) * width + j) >= at(lengths, i * width + j + 1))) {
      rows.push({ kind: "removed", text: one });
      i += 1;
    } else {
      rows.push({ kind: "added", text: two ?? "" });
      j += 1;
    }
  }
  return rows;
}

/** How long the longest common subsequence of the rests is, for each beginning of both. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const [down, right] = [at(lengths, (i + 1) * width + j), at(lengths, i * width + j + 1)];
      lengths[i * width + j] = before[i] === after[j] ? at(lengths, (i + 1) * width + j + 1) + 1 : Math.max(down, right);
    }
  }
  return lengths;
}

function at(lengths: Uint32Array, index: number): number {
  return lengths[index] ?? 0;
}
