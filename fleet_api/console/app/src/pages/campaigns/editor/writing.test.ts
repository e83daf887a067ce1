// Drafts of a text: kept for each person and campaign, found again, discarded once saved; two tabs; saving and conflicts.
import { afterEach, describe, expect, it, vi } from "vitest";
import { Drafts, type Store } from "./drafts";
import { Writing, type Start } from "./writing.svelte";

const START: Start = { source: "old", catalog: { kind: "published", reference: "fleet@1" }, basedOn: 3 };

class Memory implements Store {
  values = new Map<string, string>();
  isFull = false;
  getItem(key: string): string | null {
    return this.values.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  }
  removeItem(key: string): void {
    this.values.delete(key);
  }
}

function opened(store: Store, campaign = "braking", person = 1): Writing {
  return new Writing(START, new Drafts(person, campaign, store), campaign);
}
function answering(...answers: [status: number, body: object][]): void {
  const responses = answers.map(([status, body]) => {
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
  });
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(responses.shift())));
}
afterEach(() => vi.unstubAllGlobals());

describe("a draft", () => {
  it("is found again by the same person for the same campaign, with the version it is based on", () => {
    const store = new Memory();
    const first = opened(store);
    first.typed("new");
    first.keep();
    const again = new Writing({ ...START, basedOn: 4 }, new Drafts(1, "braking", store), "braking");
    expect([again.source, again.basedOn, again.restored?.source]).toEqual(["new", 3, "new"]);
    expect(opened(store, "braking", 2).source).toBe("old");
    expect(opened(store, "lanes").source).toBe("old");
    again.discard();
    expect(again.source).toBe("old");
    expect(store.values.size).toBe(0);
  });
  it("that says nothing new is none", () => {
    const store = new Memory();
    const writing = opened(store);
    writing.typed("new");
    writing.keep();
    writing.typed("old");
    writing.keep();
    expect(store.values.size).toBe(0);
    expect(opened(store).restored).toBeUndefined();
  });
  it("that cannot be kept, or is another tab's by now, is told", () => {
    const store = new Memory();
    const [one, other] = [opened(store), opened(store)];
    one.typed("one");
    one.keep();
    expect(one.isKept).toBe(true);
    other.typed("other");
    other.keep();
    one.changedElsewhere(new Drafts(1, "braking", store).key);
    expect([one.isElsewhere, one.isKept, other.isKept]).toEqual([true, false, true]);
    store.isFull = true;
    other.typed("more");
    other.keep();
    expect(other.isKept).toBe(false);
  });
  it.each(["{}", "[", "null", '{"source": 1}'])("that is damaged is none: %s", (written) => {
    const store = new Memory();
    store.setItem(new Drafts(1, "braking", store).key, written);
    expect(opened(store).source).toBe("old");
  });
});

describe("saving", () => {
  it("makes what was saved the beginning of what follows, and ends the draft", async () => {
    const store = new Memory();
    const writing = opened(store);
    writing.typed("new");
    writing.keep();
    answering([201, { campaign: "braking", version: 4, state: "draft" }]);
    expect(await writing.save("braking")).toBe(true);
    expect([writing.basedOn, writing.isChanged, writing.isOld, store.values.size]).toEqual([4, false, false, 0]);
    const [, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    const asked: unknown = JSON.parse(String(init?.body));
    expect(asked).toMatchObject({ based_on: 3, draft: true, catalog: "fleet@1", campaign: "braking", source: "new" });
  });
  it("that failed keeps the text, its draft and what it is based on", async () => {
    const store = new Memory();
    const writing = opened(store);
    writing.typed("new");
    writing.keep();
    vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("no network"))));
    expect(await writing.save("braking")).toBe(false);
    expect([writing.source, writing.basedOn, writing.problem?.isConnectionLost, store.values.size]).toEqual(["new", 3, true, 1]);
  });
  it("after another version shows that one, and goes on from either text", async () => {
    const theirs = { version: 4, source: "theirs", signals: "", review: { catalogs: ["fleet@1"] } };
    const conflict = { status: 409, code: "conflict", detail: "bob applied version 4" };
    for (const [choice, source] of [["mine", "new"], ["theirs", "theirs"]] as const) {
      const writing = opened(new Memory());
      writing.typed("new");
      answering([409, conflict], [200, { versions: [{ version: 4 }, { version: 3 }] }], [200, theirs]);
      expect(await writing.save("braking")).toBe(false);
      expect(writing.conflict?.problem?.detail).toBe("bob applied version 4");
      if (writing.conflict) writing.settle(writing.conflict, choice);
      expect([writing.source, writing.basedOn, writing.isChanged]).toEqual([source, 4, choice === "mine"]);
    }
  });
});
