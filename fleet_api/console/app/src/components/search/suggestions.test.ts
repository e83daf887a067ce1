// The search box offers names where names stand, and finds the place that a message names.
import { expect, test } from "vitest";
import { matching, placeOf, wordAt } from "./suggestions";

const ALL = ["ego.speed.max", "ego.speed.min", "state", "vehicle.model"].map((text) => ({ text, detail: "" }));

test("names are offered for the word before the caret, and none within quotes", () => {
  expect(wordAt("a = 1 AND ego.sp", 16)).toEqual({ from: 10, word: "ego.sp" });
  expect(wordAt("state = 'rea", 12)).toEqual({ from: 12, word: "" });
  expect(matching(ALL, "ego").map((each) => each.text)).toEqual(["ego.speed.max", "ego.speed.min"]);
  expect(matching(ALL, "mod").map((each) => each.text)).toEqual(["vehicle.model"]);
  expect(matching(ALL, "")).toEqual([]);
});

test("the place of a message is found in the text", () => {
  expect(placeOf("clips have no property 'b' (line 2, column 5)", "a = 1\nAND b = 2")).toBe(10);
  expect(placeOf("something else", "a")).toBeNull();
});
