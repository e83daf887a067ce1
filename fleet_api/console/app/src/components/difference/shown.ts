// A line of a difference as it is shown.
export interface ShownLine {
  kind: "same" | "removed" | "added" | "gap";
  /** Its number in the text before; null for a line that is not in it, and where numbers are not known. */
  before: number | null;
  /** Its number in the text after. */
  after: number | null;
  /** The line; what a gap leaves out, or nothing. */
  text: string;
}
