// What kept.svelte.ts promises: a text is there again in its place, goes once it was sent, and is nobody else's.
import { afterEach, expect, it } from "vitest";
import type { Me } from "../api/types";
import { KeptText, type Store } from "./kept.svelte";
import { session } from "./session.svelte";

function memory(): Store & { values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}
afterEach(() => {
  session.me = null;
});

it("is there again in its place alone, and says so", () => {
  const store = memory();
  const note = new KeptText("clip/a/note", store);
  note.text = "the left lane is closed";
  const again = new KeptText("clip/a/note", store);
  expect([again.text, again.wasKept, note.wasKept]).toEqual(["the left lane is closed", true, false]);
  expect(new KeptText("clip/b/note", store).text).toBe("");
});
it("is nobody else's", () => {
  const store = memory();
  session.me = { id: 1 } as Me;
  new KeptText("clip/a/note", store).text = "mine";
  session.me = { id: 2 } as Me;
  expect(new KeptText("clip/a/note", store).text).toBe("");
});
it("goes once it was sent, unless more was typed meanwhile", () => {
  const store = memory();
  const note = new KeptText("clip/a/note", store);
  note.text = "one";
  note.text = "one and two";
  note.sent("one");
  expect([note.text, new KeptText("clip/a/note", store).text]).toEqual(["one and two", "one and two"]);
  note.sent("one and two");
  expect([note.text, store.values.size]).toEqual(["", 0]);
});
it("leaves what is typed on another page meanwhile", () => {
  const store = memory();
  const note = new KeptText("clip/a/note", store);
  note.text = "one";
  const other = new KeptText("clip/a/note", store);
  other.text = "one and more";
  note.sent("one");
  expect([note.text, new KeptText("clip/a/note", store).text]).toEqual(["", "one and more"]);
});
it("leaves nothing behind when it is cleared, and works where nothing is kept", () => {
  const store = memory();
  const note = new KeptText("clip/a/note", store);
  note.text = "one";
  note.text = "";
  expect(store.values.size).toBe(0);
  const full: Store = { ...store, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  const unkept = new KeptText("clip/a/note", full);
  unkept.text = "one";
  expect(unkept.text).toBe("one");
});
