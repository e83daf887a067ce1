// What taking.ts promises: the number is changed at its place, and no other draft is lost without a word.
import { expect, it } from "vitest";
import type { Draft } from "../../editor/drafts";
import { editorQuery, lostBy, taken, type Begun } from "./taking";
import type { Constant } from "./thresholds";

const RAN = "trigger a {\r\n  when x > 5 m\r\n}\r\n";
const constant = { line: 2, column: 12, end_line: 2, end_column: 15, text: "5 m", value: 5, unit: "m" } as Constant;
const begun: Begun = { source: RAN.replaceAll("\r\n", "\n"), catalog: { kind: "published", reference: "fleet@2" }, basedOn: 3 };
const draft = taken(begun, RAN, { constant, value: 7.5 }, 12);
const kept = (change: Partial<Draft>): Draft => ({ ...begun, at: 1, tab: "other", ...change });

it("changes the number where it stands, with the catalog and the version of the text", () => {
  expect(draft).toEqual({ ...begun, source: "trigger a {\n  when x > 7.5 m\n}\n", at: 12, tab: "" });
});
it("loses a draft that says something else, and none that says the same as before or as now", () => {
  const other = kept({ source: "typed" });
  const ownCatalog = kept({ catalog: { kind: "own", text: "signals" } });
  expect([lostBy(draft, other, begun), lostBy(draft, ownCatalog, begun)]).toEqual([other, ownCatalog]);
  expect([lostBy(draft, kept({}), begun), lostBy(draft, kept({ source: draft.source }), begun), lostBy(draft, undefined, begun)]).toEqual([
    undefined, undefined, undefined,
  ]);
});
it("opens the editor at the number, and with the older version that it was taken from", () => {
  expect(editorQuery({ constant, value: 7.5 }, 2, 3)).toEqual({ at: "2:12", from: 2 });
  expect([editorQuery({ constant, value: 7.5 }, 3, 3).from, editorQuery({ constant, value: 7.5 }, null, 3).from]).toEqual([null, null]);
});
