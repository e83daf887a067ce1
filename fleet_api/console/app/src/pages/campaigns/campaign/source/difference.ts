// Unified differences as lines with their numbers, as a page shows them.
export interface DifferenceLine {
  kind: "same" | "removed" | "added" | "gap";
  /** Its number in the text before; null for a line that is not in it. */
  before: number | null;
  /** Its number in the text after. */
  after: number | null;
  text: string;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

/** The lines of a unified difference of one text: its two heads are left out, and a gap stands before each part. */
export function linesOf(unified: string): DifferenceLine[] {
  const lines: DifferenceLine[] = [];
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
export function sizeOf(lines: readonly DifferenceLine[]): { removed: number; added: number } {
  const counted = (kind: DifferenceLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { removed: counted("removed"), added: counted("added") };
}
