// Places of findings in the text, and what is not inserted into it.
import { Text } from "@codemirror/state";
import { describe, expect, it } from "vitest";
import { indexOf, positionOf } from "./findings";
import { MAX_BYTES, refusal } from "./refusals";

const DOCUMENT = Text.of(["trigger a {", '    describe "🚗 x"', "}"]);

describe("places", () => {
  it("count characters, not the halves of those that JavaScript writes as two", () => {
    const x = DOCUMENT.toString().indexOf("x");
    expect(positionOf(DOCUMENT, x)).toEqual({ line: 2, column: 17 });
    expect(indexOf(DOCUMENT, 2, 17)).toBe(x);
  });
  it("outside of the text are those at its edge", () => {
    expect(indexOf(DOCUMENT, 9, 9)).toBe(DOCUMENT.length);
    expect(indexOf(DOCUMENT, 1, 999)).toBe(11);
  });
});

describe("what is inserted", () => {
  it("is text, with tabs and characters of any script", () => {
    expect(refusal("\t速度 🚗\r\n", 10)).toBeNull();
  });
  it("is no binary, which is told with one of its characters", () => {
    expect(refusal("PK\u0003\u0004\ufffd", 10)).toContain("3 characters such as U+0003");
  });
  it("is no more than a trigger file may have", () => {
    expect(refusal("a", MAX_BYTES)).toBeNull();
    expect(refusal("a", MAX_BYTES + 1)).toContain("1 MB");
  });
});
