// What csv.ts promises: quoted as RFC 4180 says, and nothing that a spreadsheet would run.
import { expect, it } from "vitest";
import { csv } from "./csv";

it("quotes what has commas, quotes and line breaks", () => {
  expect(csv(["a", "b"], [['x,"y"', "two\nlines"], [1.5, null]])).toBe('a,b\r\n"x,""y""","two\nlines"\r\n1.5,\r\n');
});
it("has no cell that a spreadsheet takes for a formula, and leaves numbers alone", () => {
  expect(csv(["a", "b"], [["=1+1", -1]])).toBe("a,b\r\n'=1+1,-1\r\n");
});
