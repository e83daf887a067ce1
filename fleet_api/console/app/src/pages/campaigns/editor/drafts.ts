// Drafts: what somebody has typed and not saved yet, kept in this browser for each person and campaign.
import { browserStore, type Store } from "../../../shell/kept.svelte";

/** The signal catalog of a text: a published one, or the author's own. */
export type Catalog = { kind: "published"; reference: string } | { kind: "own"; text: string };

export interface Draft {
  source: string;
  catalog: Catalog;
  /** The newest version that the person has seen; 0 for a new campaign. */
  basedOn: number;
  /** When it was typed, in ms since the epoch. */
  at: number;
  /** Which tab of the browser kept it. */
  tab: string;
}

export class Drafts {
  readonly key: string;
  #store: Store | undefined;

  /** Those of a person (as `owner` gives it) for a campaign, or for a new one (empty name). */
  constructor(person: string, campaign: string, store: Store | undefined = browserStore()) {
    this.key = `longtail-draft:${person}:${campaign}`;
    this.#store = store;
  }

  /** The draft that is kept; undefined if there is none. */
  read(): Draft | undefined {
    try {
      return draftOf(this.#store?.getItem(this.key) ?? null);
    } catch {
      return undefined;
    }
  }

  /** Keep a draft in place of the one before; whether that was possible. */
  keep(draft: Draft): boolean {
    try {
      if (!this.#store) return false;
      this.#store.setItem(this.key, JSON.stringify(draft));
      return true;
    } catch {
      return false; // no room, or a browser that keeps nothing
    }
  }

  discard(): void {
    try {
      this.#store?.removeItem(this.key);
    } catch {
      // a browser that keeps nothing
    }
  }
}

/** A draft as it was kept; undefined for what is none, such as one of an older release. */
function draftOf(written: string | null): Draft | undefined {
  if (written === null) return undefined;
  const read: unknown = JSON.parse(written);
  if (typeof read !== "object" || read === null) return undefined;
  const { source, catalog, basedOn, at, tab } = read as Partial<Draft>;
  if (typeof source !== "string" || typeof basedOn !== "number" || typeof at !== "number") return undefined;
  if (typeof catalog !== "object" || !("kind" in catalog)) return undefined;
  return { source, catalog, basedOn, at, tab: tab ?? "" };
}
