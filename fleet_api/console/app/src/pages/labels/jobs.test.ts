// Jobs are counted by day, days without one included.
import { expect, test } from "vitest";
import { perDay, queuesOf } from "./jobs";

test("a day without a job is a day with none", () => {
  const days = perDay(["2026-01-01T23:59:59Z", null, "2026-01-03T00:00:00Z", "2026-01-03T12:00:00Z"]);
  expect(days.counts).toEqual([1, 0, 2]);
  expect(days.x.map((x) => new Date(x * 1000).toISOString().slice(0, 10))).toEqual(["2026-01-01", "2026-01-02", "2026-01-03"]);
  expect(perDay([])).toEqual({ x: [], counts: [] });
});

test("queues are in the order of their tasks", () => {
  expect(queuesOf({ b: { done: 1 }, a: {} }).map((queue) => queue.task)).toEqual(["a", "b"]);
});
