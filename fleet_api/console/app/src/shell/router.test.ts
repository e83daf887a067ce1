// What router.svelte.ts promises without a browser: patterns of pages, and addresses for links.
import { expect, it } from "vitest";
import { NEW_CAMPAIGN } from "../pages/campaigns/states";
import { ROUTES } from "../routes";
import { href, matched } from "./router.svelte";

it("finds the values of a pattern, and nothing in other paths", () => {
  expect(matched("/campaigns/:campaign", "/campaigns/hard%20braking")).toEqual({ campaign: "hard braking" });
  expect(matched("/campaigns", "/campaigns")).toEqual({});
  expect(["/campaigns", "/campaigns/", "/campaigns/a/b", "/campaigns/%zz", "/clips/a"].map((path) => matched("/campaigns/:campaign", path))).toEqual(
    [null, null, null, null, null],
  );
});
it("has no page in the way of a campaign's, whatever its name", () => {
  const page = (path: string) => ROUTES.find(({ pattern }) => matched(pattern, path))?.pattern;
  expect(["new", "edit", "campaigns"].map((name) => page(`/campaigns/${name}`))).toEqual(Array(3).fill("/campaigns/:campaign"));
  expect(page(`/campaigns/${NEW_CAMPAIGN}`)).toBe(`/campaigns/${NEW_CAMPAIGN}`);
  expect(ROUTES.flatMap(({ pattern }) => /^\/campaigns\/(\w+)$/.exec(pattern)?.[1] ?? [])).toEqual([]); // a name is a word
});
it("writes addresses with what is set", () => {
  expect(href("/clips", { filter: "a & b", live: true, tab: null, page: 0 })).toBe("/console/clips?filter=a+%26+b&live=1&page=0");
  expect(href("/clips", { tab: "" })).toBe("/console/clips");
});
