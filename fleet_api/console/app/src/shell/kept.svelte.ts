// Texts that somebody has typed and not sent yet: kept in this browser for each person and place, until they are sent or cleared.
import { settings } from "../settings";
import { session } from "./session.svelte";

/** What keeps texts: `localStorage`, or nothing. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** The storage of this browser; undefined where it keeps nothing. */
export function browserStore(): Store | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** The text of a field. Made while a component is set up, with the place that the text is for, such as `clip/ID/note`. */
export class KeptText {
  /** Whether there was a text when the field was made. */
  readonly wasKept: boolean;
  #text = $state("");
  #key: string;
  #store: Store | undefined;

  constructor(place: string, store: Store | undefined = browserStore()) {
    this.#key = `longtail-typed:${settings.prefix}:${session.me?.id ?? 0}:${place}`;
    this.#store = store;
    this.#text = this.#read() ?? "";
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

  /** A text was sent: it goes from the field and from the browser, unless another was typed meanwhile. */
  sent(what: string): void {
    if (this.#text === what) this.#text = "";
    if (this.#read() === what) this.#keep("");
  }

  #read(): string | null {
    try {
      return this.#store?.getItem(this.#key) ?? null;
    } catch {
      return null; // a browser that keeps nothing
    }
  }
  #keep(text: string): void {
    try {
      if (text === "") this.#store?.removeItem(this.#key);
      else this.#store?.setItem(this.#key, text);
    } catch {
      // no room, or a browser that keeps nothing: the text lasts as long as the page
    }
  }
}
