// Unified differences as lines with their numbers, as a page shows them.
import type { ShownLine } from "./shown";

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

/** The lines of a unified difference of one text: its two heads are left out, and a gap stands before each part. */
export function linesOf(unified: string): ShownLine[] {
  const lines: ShownLine[] = [];
  let before = 0;
  let after = 0;
  for (const line of unified === "" ? [] : unified.split("\n").slice(2)) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      lines.push({ kind: "gap", before: null, after: null, text: hunk[3] ?? "" });
    } else if (line.startsWith("-")) {
      lines.push({ kind: "removed", before: before++, after: null, text: line.slice(1) });
    } else if (line.startsWith("+")) {
      lines.push({ kind: "added", before: null, after: after++, text: line.slice(1) });
    } else {
      lines.push({ kind: "same", before: before++, after: after++, text: line.slice(1) });
    }
  }
  return lines;
}

/** How many lines were removed and added. */
export function sizeOf(lines: readonly ShownLine[]): { removed: number; added: number } {
  const counted = (kind: ShownLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { removed: counted("removed"), added: counted("added") };
}
