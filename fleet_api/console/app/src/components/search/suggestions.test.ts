// The search box offers names where names stand, and finds the place that a message names.
import { expect, test } from "vitest";
import { matching, placeOf, withTaken, wordAt } from "./suggestions";

const ALL = ["ego.speed.max", "ego.speed.min", "state", "vehicle.model"].map((text) => ({ text, detail: "" }));

test("names are offered for the word before the caret, and none within quotes", () => {
  expect(wordAt("a = 1 AND ego.sp", 16)).toEqual({ from: 10, to: 16, word: "ego.sp" });
  expect(wordAt("state = 'rea", 12)).toEqual({ from: 12, to: 12, word: "" });
  expect(wordAt("a = 'x'", 2)).toEqual({ from: 2, to: 2, word: "" });
  expect(matching(ALL, "ego").map((each) => each.text)).toEqual(["ego.speed.max", "ego.speed.min"]);
  expect(matching(ALL, "mod").map((each) => each.text)).toEqual(["vehicle.model"]);
  expect(matching(ALL, "")).toEqual([]);
});

test("a name that is taken replaces all of the word, and nothing else", () => {
  const taken = (text: string, name: string) => {
    const caret = text.indexOf("|");
    const after = withTaken(text.replace("|", ""), caret, name);
    return `${after.text.slice(0, after.caret)}|${after.text.slice(after.caret)}`;
  };
  expect(taken("ego.sp|eed.max > 3", "ego.speed.min")).toBe("ego.speed.min| > 3");
  expect(taken("a = 1 AND ego|", "ego.speed.min")).toBe("a = 1 AND ego.speed.min|");
  expect(taken("in_u|nit(a, 'km/h')", "in_unit(")).toBe("in_unit(|a, 'km/h')");
  expect(taken(`"vehicle.my c|ar" = 'x'`, `"vehicle.my truck"`)).toBe(`"vehicle.my truck"| = 'x'`);
  expect(taken(`"vehicle.my c| AND a = 1`, `"vehicle.my car"`)).toBe(`"vehicle.my car"| AND a = 1`);
  expect(taken(`"the ""new""| AND a = 1`, `"the ""new"" car"`)).toBe(`"the ""new"" car"| AND a = 1`);
  expect(taken(`"the driver's" = 'x' AND sta|`, "state")).toBe(`"the driver's" = 'x' AND state|`);
});

test("the place of a message is found in the text", () => {
  expect(placeOf("clips have no property 'b' (line 2, column 5)", "a = 1\nAND b = 2")).toBe(10);
  expect(placeOf("something else", "a")).toBeNull();
});
