// What expected.ts promises: estimates with their unit and interval, and ratios also where there is nothing to divide by.
import { expect, it } from "vitest";
import { intervalText, ratioText } from "./expected";

it("writes estimates with their interval, and says where it has no end", () => {
  const metres = (value: number) => `${value} m`;
  expect(intervalText({ mean: 2, low: 1, high: 3 }, metres)).toBe("2 m (1 m to 3 m)");
  expect(intervalText({ mean: 2, low: 1, high: null }, metres)).toBe("2 m (1 m to no limit)");
  expect(intervalText(null, metres)).toBe("–");
});
it("writes a ratio as far as it is known", () => {
  expect(ratioText({ estimate: 1.5, low: 1.1, high: 2 })).toBe("1.5 (1.1 to 2)");
  expect(ratioText({ estimate: 0.5, low: 0.1, high: null })).toBe("0.5 (0.1 to no limit)");
  expect(ratioText({ estimate: null, low: 3.2, high: null })).toBe("at least 3.2");
  expect(ratioText({ estimate: null, low: 0, high: null })).toBe("not known");
  expect(ratioText(null)).toBe("–");
});
