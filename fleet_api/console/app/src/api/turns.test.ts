// Searches wait for each other, what is out of date never begins, and a search of another tab is waited for.
import { expect, test } from "vitest";
import { isAbort, Problem } from "./problem";
import { Turns } from "./turns";

test("work begins in its turn, and what was given up meanwhile does not", async () => {
  const turns = new Turns();
  const done: string[] = [];
  let release = (): void => undefined;
  const first = turns.take(new AbortController().signal, async () => {
    await new Promise<void>((resolve) => (release = resolve));
    done.push("first");
  });
  const given = new AbortController();
  const second = turns.take(given.signal, async () => void done.push("second")).catch((error: unknown) => isAbort(error));
  const third = turns.take(new AbortController().signal, async () => void done.push("third"));
  await Promise.resolve();
  given.abort();
  release();
  expect(await second).toBe(true);
  await Promise.all([first, third]);
  expect(done).toEqual(["first", "third"]);
});

test("a search that another stands in the way of is tried again, and other problems are told at once", async () => {
  const turns = new Turns();
  const signal = new AbortController().signal;
  let tries = 0;
  const problem = (status: number) => new Problem({ status, code: "x", detail: "x" });
  const found = await turns.take(signal, async () => {
    tries += 1;
    if (tries < 3) throw problem(429);
    return tries;
  });
  expect(found).toBe(3);
  await expect(turns.take(signal, async () => Promise.reject(problem(400)))).rejects.toThrow("x");
});
