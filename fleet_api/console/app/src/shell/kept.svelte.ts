// Texts that somebody has typed and not sent yet: kept in this browser for each person and place, until they are sent or cleared.
import { onDestroy } from "svelte";
import { settings } from "../settings";
import { session } from "./session.svelte";

/** What keeps texts: `localStorage`, or nothing. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;
/** A text as it is kept, and when it was typed, in ms since the epoch. */
export interface Kept {
  text: string;
  at: number;
}

/** What the keys of all kept texts begin with. */
export const TYPED = "longtail-typed:";
/** The fields of the pages that are open in this tab. */
const fields = new Set<KeptText>();

/** The storage of this browser; undefined where it keeps nothing. */
export function browserStore(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** Whose a text is, in its key. By the name, too: another database at the same address gives the same ids to other people. */
export function owner(): string {
  return `${settings.prefix}:${session.me?.id ?? 0}:${encodeURIComponent(session.me?.name ?? "")}`;
}

/** The key of a text that whoever is signed in has typed for a place. */
export function keyOf(place: string): string {
  return `${TYPED}${owner()}:${place}`;
}

/** The text of a field, for a place such as `clip/ID/note`; called while the component of the field is set up. */
export function keptText(place: string): KeptText {
  const made = new KeptText(place);
  made.follow();
  onDestroy(() => made.leave());
  return made;
}

/** Tell the fields that a text is no longer kept under a key: another tab has sent or cleared it, or it was forgotten. */
export function tellRemoved(key: string, text: string): void {
  for (const field of fields) if (field.key === key) field.removed(text);
}

/** Let the fields of this tab follow what other tabs send; called once. */
export function followOtherTabs(): void {
  window.addEventListener("storage", ({ key, oldValue, newValue }) => {
    const kept = newValue === null ? keptOf(oldValue) : undefined;
    if (key !== null && kept) tellRemoved(key, kept.text);
  });
}

export class KeptText {
  readonly key: string;
  /** Whether there was a text when the field was made. */
  readonly wasKept: boolean;
  /** Whether this browser keeps what is in the field. */
  isKept = $state(true);
  #text = $state("");
  #store: Store | undefined;

  constructor(place: string, store: Store | undefined = browserStore()) {
    this.key = keyOf(place);
    this.#store = store;
    this.#text = this.#read();
    this.wasKept = this.#text !== "";
  }

  /** What is in the field; bind it: `bind:value={note.text}`. */
  get text(): string {
    return this.#text;
  }
  set text(now: string) {
    this.#text = now;
    this.#keep(now);
  }

  /** A text was sent: it goes from all fields of its place and from the browser, unless another was typed meanwhile. */
  sent(what: string): void {
    if (this.#text === what) this.#text = "";
    if (this.#read() !== what) return;
    this.#keep("");
    tellRemoved(this.key, what);
  }

  /** Follow what becomes of the text in other fields of its place, until this one is left. */
  follow(): void {
    fields.add(this);
  }
  leave(): void {
    fields.delete(this);
  }

  /** A text is no longer kept: it goes from this field, too. Another one that is in the field is kept again. */
  removed(text: string): void {
    if (this.#text === text) this.#text = "";
    else if (this.#text !== "") this.#keep(this.#text);
  }

  #read(): string {
    try {
      return keptOf(this.#store?.getItem(this.key) ?? null)?.text ?? "";
    } catch {
      return ""; // a browser that keeps nothing
    }
  }
  #keep(text: string): void {
    try {
      if (text === "") this.#store?.removeItem(this.key);
      else this.#store?.setItem(this.key, JSON.stringify({ text, at: Date.now() } satisfies Kept));
      this.isKept = text === "" || this.#store !== undefined;
    } catch {
      this.isKept = false; // no room, or a browser that keeps nothing: the text lasts as long as the page
      this.#drop();
    }
  }
  /** An earlier text would come back after the newer one was sent. */
  #drop(): void {
    try {
      this.#store?.removeItem(this.key);
    } catch {
      // a browser that keeps nothing
    }
  }
}

/** A text as it was kept; undefined for what is not one, such as one of an older release. */
export function keptOf(written: string | null): Kept | undefined {
  try {
    const read = JSON.parse(written ?? "null") as Partial<Kept> | null;
    return typeof read?.text === "string" && typeof read.at === "number" ? { text: read.text, at: read.at } : undefined;
  } catch {
    return undefined;
  }
}
