// What offered.ts promises: a choice for each program of the backtests over drives that are done.
import { expect, it } from "vitest";
import { offered } from "./offered";

const program = { filename: "a.trigger", campaign: null, version: null };
const version = { filename: null, campaign: "braking", version: 2 };
const over = { drives: ["a", "b"], clips: null };
const backtest = { id: "1", state: "done" as const, programs: [program], over, created_at: "2026-01-31T08:00:00Z" };

it("offers each program of what is done over drives", () => {
  const found = offered([
    { ...backtest, programs: [version, program] },
    { ...backtest, id: "2", state: "running" },
    { ...backtest, id: "3", over: { drives: null, clips: { filter: "", filter_lang: "cql2-text", limit: 5 } } },
  ]);
  expect(found.map((each) => [each.key, each.title])).toEqual([
    ["1:0", "braking version 2, 2 drives"],
    ["1:1", "a.trigger, 2 drives"],
  ]);
});
