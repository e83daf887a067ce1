// What kept.svelte.ts promises: a text is there again in its place, goes once it was sent, and is nobody else's.
import { afterEach, expect, it } from "vitest";
import type { Me } from "../api/types";
import { forgetBelow, forgetOld, type Listed } from "./forgetting";
import { KeptText, keyOf, tellRemoved, type Store } from "./kept.svelte";
import { session } from "./session.svelte";

type Memory = Store & Listed & { values: Map<string, string> };

function memory(): Memory {
  const values = new Map<string, string>();
  return {
    values,
    get length() {
      return values.size;
    },
    key: (index) => [...values.keys()][index] ?? null,
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
  session.me = { id: 1, name: "of another database" } as Me;
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
it("goes from a field that was opened while it was sent, and from those of other tabs", () => {
  const store = memory();
  const left = new KeptText("clip/a/note", store);
  left.text = "one";
  const opened = new KeptText("clip/a/note", store);
  const elsewhere = new KeptText("clip/b/note", store);
  elsewhere.text = "one";
  for (const field of [opened, elsewhere]) field.follow();
  left.sent("one");
  expect([opened.text, elsewhere.text]).toEqual(["", "one"]);
  opened.text = "two";
  tellRemoved(opened.key, "two"); // as another tab's sending does
  expect(opened.text).toBe("");
  for (const field of [opened, elsewhere]) field.leave();
  elsewhere.text = "three";
  tellRemoved(elsewhere.key, "three");
  expect(elsewhere.text).toBe("three");
});
it("is kept again where another text of its place was sent", () => {
  const store = memory();
  const long = new KeptText("clip/a/note", store);
  long.text = "a long note";
  long.follow();
  const short = new KeptText("clip/a/note", store);
  short.text = "ok";
  short.sent("ok");
  long.leave();
  expect([short.text, new KeptText("clip/a/note", store).text]).toEqual(["", "a long note"]);
});
it("leaves nothing when it is cleared, and says where nothing is kept: an earlier text does not come back", () => {
  const store = memory();
  const note = new KeptText("clip/a/note", store);
  note.text = "one";
  note.text = "";
  expect([store.values.size, note.isKept]).toEqual([0, true]);
  note.text = "one";
  const full = { ...store, setItem: () => { throw new DOMException("full", "QuotaExceededError"); } };
  const unkept = new KeptText("clip/a/note", full);
  unkept.text = "one and two";
  expect([unkept.text, unkept.isKept]).toEqual(["one and two", false]);
  unkept.sent("one and two");
  expect([unkept.text, new KeptText("clip/a/note", store).text]).toEqual(["", ""]);
});
it("ends after a month, when there are more than 200, and with its clip", () => {
  const store = memory();
  const day = 24 * 3600 * 1000;
  const keep = (place: string, at: number) => store.setItem(keyOf(place), JSON.stringify({ text: "one", at }));
  const isKept = (place: string) => store.values.has(keyOf(place));
  store.setItem("longtail-theme", "dark");
  keep("clip/old/note", 0);
  keep("clip/young/note", 2 * day);
  forgetOld(store, 31 * day);
  expect([isKept("clip/old/note"), isKept("clip/young/note"), store.values.size]).toEqual([false, true, 2]);
  for (let index = 0; index < 200; index += 1) keep(`clip/${index}/note`, 3 * day);
  forgetOld(store, 31 * day);
  expect([isKept("clip/young/note"), store.values.size]).toEqual([false, 201]);
  forgetBelow("clip/1/", store);
  expect([isKept("clip/1/note"), isKept("clip/10/note"), store.values.size]).toEqual([false, true, 200]);
});
