// Drafts of a text: kept for each person and campaign, found again, discarded once saved; two tabs; saving and conflicts; a catalog in writing.
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CampaignDetails } from "../../../api/types";
import type { Store } from "../../../shell/kept.svelte";
import { vocabularyOf } from "./checking.svelte";
import { Drafts } from "./drafts";
import { startOf, Writing, type Start } from "./writing.svelte";

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

function opened(store: Store, campaign = "braking", person = "ada"): Writing {
  return new Writing(START, new Drafts(person, campaign, store), campaign);
}
function answering(...answers: [status: number, body: object][]): void {
  const responses = answers.map(([status, body]) => {
    const type = status < 400 ? "application/json" : "application/problem+json";
    return new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
  });
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(responses.shift())));
}
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a draft", () => {
  it("is found again by the same person for the same campaign, with the version it is based on", () => {
    const store = new Memory();
    const first = opened(store);
    first.typed("new");
    first.keep();
    const again = new Writing({ ...START, basedOn: 4 }, new Drafts("ada", "braking", store), "braking");
    expect([again.source, again.basedOn, again.restored?.source]).toEqual(["new", 3, "new"]);
    expect(opened(store, "braking", "ben").source).toBe("old");
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
    one.changedElsewhere(new Drafts("ada", "braking", store).key);
    expect([one.isElsewhere, one.isKept, other.isKept]).toEqual([true, false, true]);
    store.isFull = true;
    other.typed("more");
    other.keep();
    expect(other.isKept).toBe(false);
  });
  it("typed last is the one that is kept, whichever tab is looked at or closed afterwards", () => {
    vi.useFakeTimers();
    const store = new Memory();
    const [one, other] = [opened(store), opened(store)];
    const key = new Drafts("ada", "braking", store).key;
    const kept = () => new Drafts("ada", "braking", store).read()?.source;
    one.typed("one");
    vi.advanceTimersByTime(1000);
    other.typed("other");
    vi.advanceTimersByTime(1000);
    one.changedElsewhere(key);
    one.keep(); // it is looked at, or closed: nothing was typed since
    expect(kept()).toBe("other");
    one.typed("one again");
    one.keep();
    other.changedElsewhere(key);
    other.keep();
    expect(kept()).toBe("one again");
    other.typed("other again");
    vi.advanceTimersByTime(100);
    one.typed("last");
    one.keep();
    vi.advanceTimersByTime(1000); // what the other typed before that comes to be kept
    expect([kept(), other.isElsewhere, other.isKept]).toEqual(["last", true, false]);
    other.discard();
    expect(kept()).toBe("last");
  });
  it("that another tab gave up is kept by the one that still shows a change, once it is left", () => {
    const store = new Memory();
    const one = opened(store);
    one.typed("one");
    one.keep();
    const other = opened(store);
    other.discard();
    one.changedElsewhere(new Drafts("ada", "braking", store).key);
    expect(one.isKept).toBe(false);
    one.keep();
    expect([one.isKept, opened(store).source]).toEqual([true, "one"]);
  });
  it.each(["{}", "[", "null", '{"source": 1}'])("that is damaged is none: %s", (written) => {
    const store = new Memory();
    store.setItem(new Drafts("ada", "braking", store).key, written);
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
  it("tells that a version has this very text, however old the one it is based on", async () => {
    const writing = opened(new Memory());
    writing.typed("new");
    answering([200, { campaign: "braking", version: 5, state: "submitted" }]);
    expect(await writing.save("braking")).toBe(true);
    expect([writing.isOld, writing.basedOn, writing.saved?.state]).toEqual([true, 5, "submitted"]);
  });
  it("is told by the page of the new address, and by no other that is opened later", async () => {
    const fresh = () => new Writing({ ...START, basedOn: 0 }, new Drafts("ada", "", new Memory()), "");
    for (const isHandedOver of [true, false]) {
      const writing = fresh();
      answering([201, { campaign: "braking", version: 1, state: "draft" }]);
      await writing.save("braking");
      if (isHandedOver) writing.handOver();
      expect(opened(new Memory()).saved?.version).toBe(isHandedOver ? 1 : undefined);
      expect(opened(new Memory()).saved).toBeUndefined();
    }
  });
  it("ends what was begun from an older version", async () => {
    const start = startOf({ version: 2, source: "second", signals: "", review: { catalogs: ["fleet@1"] } } as unknown as CampaignDetails, 4);
    const writing = new Writing(start, new Drafts("ada", "braking", new Memory()), "braking");
    expect([writing.from, writing.basedOn]).toEqual([2, 4]);
    answering([201, { campaign: "braking", version: 5, state: "draft" }]);
    await writing.save("braking");
    expect([writing.from, writing.basedOn]).toEqual([undefined, 5]);
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

it("asks for the words of one's own catalog after a pause, and only for the newest text", async () => {
  vi.useFakeTimers();
  const sent = vi.fn((_: string, init: RequestInit) => Promise.resolve(Response.json({ words: [], asked: init.body })));
  vi.stubGlobal("fetch", sent);
  const [first, second] = [new AbortController(), new AbortController()];
  const given = vocabularyOf({ kind: "own", text: "a" }, first.signal).catch((error: unknown) => error);
  first.abort();
  const asked = vocabularyOf({ kind: "own", text: "ab" }, second.signal);
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1000);
  await asked;
  expect(await given).toMatchObject({ name: "AbortError" });
  expect(sent.mock.calls.map(([, init]) => init.body)).toEqual([JSON.stringify({ signals: "ab" })]);
});
it("asks for those of a published one at once", async () => {
  vi.useFakeTimers();
  const sent = vi.fn(() => Promise.resolve(Response.json({ words: [] })));
  vi.stubGlobal("fetch", sent);
  await vocabularyOf({ kind: "published", reference: "fleet@1" }, new AbortController().signal);
  expect(sent).toHaveBeenCalledOnce();
});
