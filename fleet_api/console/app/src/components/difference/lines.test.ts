// The difference of two texts: nothing of either is left out, and what is equal is not told as changed.
import { describe, expect, it } from "vitest";
import { hunks, lineRows } from "./lines";

const signed = (old: string, other: string) =>
  lineRows(old, other).map(({ kind, text }) => ({ same: " ", removed: "-", added: "+" })[kind] + text);

describe("lines", () => {
  it("that are equal stay, also between changed ones", () => {
    expect(signed("a\nb\nc\nd", "a\nx\nc\ny\nd")).toEqual([" a", "-b", "+x", " c", "+y", " d"]);
    expect(signed("a\nb", "a\nb")).toEqual([" a", " b"]);
    expect(signed("", "a")).toEqual(["-", "+a"]);
  });
  it("give both texts again", () => {
    const texts = ["", "a", "a\nb\na", "b\na\nb\nb", "c\na\nb\na\nd"];
    for (const old of texts) {
      for (const other of texts) {
        const rows = lineRows(old, other);
        const without = (kind: string) => rows.filter((row) => row.kind !== kind).map(({ text }) => text).join("\n");
        expect([without("added"), without("removed")]).toEqual([old, other]);
      }
    }
  });
  it("that are far from a change are counted", () => {
    const old = Array.from({ length: 20 }, (_, index) => `line ${index}`).join("\n");
    const shown = hunks(old, old.replace("line 10", "another"));
    expect(shown[0]).toEqual({ kind: "gap", count: 7 });
    expect(shown.at(-1)).toEqual({ kind: "gap", count: 6 });
    expect(shown.filter(({ kind }) => kind !== "gap")).toHaveLength(8);
  });
  it("of thousands of changed lines are told as replaced, at once", () => {
    const many = (name: string) => Array.from({ length: 5000 }, (_, index) => `${name} ${index}`).join("\n");
    const rows = lineRows(many("old"), many("new"));
    expect(rows).toHaveLength(10_000);
    expect(rows[0]?.kind).toBe("removed");
  });
});
