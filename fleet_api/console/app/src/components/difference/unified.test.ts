// What unified.ts promises: every line of a unified difference with its number on either side.
import { expect, it } from "vitest";
import { linesOf, sizeOf } from "./unified";

const UNIFIED = `--- version 1: trigger text
+++ version 2: trigger text
@@ -2,3 +2,4 @@
 trigger hard_brake {
-    when ego.accel < -4 m/s^2
+    when ego.accel < -5 m/s^2
+    -- was too many
 }
@@ -20 +21 @@ lines between equal beginnings and ends
---- a line that begins like a head
+`;

it("numbers lines on both sides, from where each part begins", () => {
  const shown = linesOf(UNIFIED).map((line) => `${line.kind} ${line.before ?? "-"} ${line.after ?? "-"} ${line.text}`);
  expect(shown).toEqual([
    "gap - - ",
    "same 2 2 trigger hard_brake {",
    "removed 3 -     when ego.accel < -4 m/s^2",
    "added - 3     when ego.accel < -5 m/s^2",
    "added - 4     -- was too many",
    "same 4 5 }",
    "gap - - lines between equal beginnings and ends",
    "removed 20 - --- a line that begins like a head",
    "added - 21 ",
  ]);
});
it("counts what was removed and added", () => {
  expect(sizeOf(linesOf(UNIFIED))).toEqual({ removed: 2, added: 3 });
});
it("is nothing for equal texts", () => {
  expect(linesOf("")).toEqual([]);
});
