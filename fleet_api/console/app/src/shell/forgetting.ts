// When kept texts end without being sent: after a month, when there are too many, or with the clip that they are about.
import { keptOf, keyOf, tellRemoved, TYPED } from "./kept.svelte";

/** A storage whose keys can be listed. */
export type Listed = Pick<Storage, "getItem" | "removeItem" | "key" | "length">;

const MAX_AGE_MS = 30 * 24 * 3600 * 1000;
const MOST = 200;

/** Forget the texts that are older than a month, and all but the newest 200; of everybody who has used this browser. */
export function forgetOld(store: Listed, now: number): void {
  const aged = keysOf(store, TYPED).map((key) => ({ key, at: keptOf(store.getItem(key))?.at ?? 0 }));
  const [newest, rest] = [aged.sort((a, b) => b.at - a.at).slice(0, MOST), aged.slice(MOST)];
  for (const { key } of [...rest, ...newest.filter(({ at }) => now - at > MAX_AGE_MS)]) store.removeItem(key);
}

/** Forget what the person who is signed in has typed for the places below one, such as `clip/ID/`. */
export function forgetBelow(place: string, store: Listed): void {
  for (const key of keysOf(store, keyOf(place))) {
    const kept = keptOf(store.getItem(key));
    store.removeItem(key);
    if (kept) tellRemoved(key, kept.text);
  }
}

function keysOf(store: Listed, beginning: string): string[] {
  const keys = Array.from({ length: store.length }, (_, index) => store.key(index));
  return keys.filter((key) => key !== null).filter((key) => key.startsWith(beginning));
}
