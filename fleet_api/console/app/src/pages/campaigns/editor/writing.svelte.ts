// What somebody writes: the text, its catalog and the version it is based on; kept as a draft here, saved on the server.
import { api } from "../../../api/client";
import { asProblem, type Problem } from "../../../api/problem";
import type { CampaignDetails, Schemas } from "../../../api/types";
import { catalogPart } from "./checking.svelte";
import type { Catalog, Draft, Drafts } from "./drafts";

export type Applied = Schemas["AppliedView"];
/** What one begins with, and comes back to when a draft is discarded. */
export interface Start {
  source: string;
  catalog: Catalog;
  basedOn: number;
  /** The version whose text it is, where that is older than the one it is based on. */
  from?: number | undefined;
}
/** Another version has come in between: what the API says, and that version. */
export interface Conflict {
  problem: Problem | undefined;
  newest: CampaignDetails;
}

const KEEP_AFTER_MS = 300;
const CONFLICT = "conflict";

/** What was saved under an address that it changes, so that the page of the new one can say so. */
let handedOver: { saved: Applied; isOld: boolean } | undefined;

export class Writing {
  source = $state("");
  catalog = $state.raw<Catalog>({ kind: "own", text: "" });
  basedOn = $state(0);
  /** The older version that the text was begun from; undefined once it is a draft's, saved or settled. */
  from = $state<number>();
  /** The draft that was found when the page was opened; undefined once it is discarded or saved. */
  restored = $state.raw<Draft>();
  /** Whether what is typed is kept in this browser. */
  isKept = $state(true);
  /** Whether another tab of this browser keeps drafts of the same campaign. */
  isElsewhere = $state(false);
  isSaving = $state(false);
  saved = $state.raw<Applied>();
  /** Whether the last saving found that a version has this very text already. */
  isOld = $state(false);
  problem = $state.raw<Problem>();
  conflict = $state.raw<Conflict>();
  #start = $state.raw<Start>({ source: "", catalog: { kind: "own", text: "" }, basedOn: 0 });
  #drafts: Drafts;
  #tab = Math.random().toString(36).slice(2);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether something has changed since the draft was kept last. */
  #isDirty = false;
  /** When the text was changed last, in ms since the epoch. */
  #at = 0;

  constructor(start: Start, drafts: Drafts, campaign: string) {
    this.#drafts = drafts;
    this.#start = start;
    const kept = drafts.read();
    const begin = kept ?? start;
    this.source = begin.source;
    this.catalog = begin.catalog;
    this.basedOn = begin.basedOn;
    this.#at = kept?.at ?? 0;
    if (kept && this.isChanged) this.restored = kept;
    else this.from = start.from;
    if (handedOver?.saved.campaign === campaign) ({ saved: this.saved, isOld: this.isOld } = handedOver);
    handedOver = undefined;
  }

  get isChanged(): boolean {
    const { source, catalog } = this.#start;
    return this.source !== source || JSON.stringify(this.catalog) !== JSON.stringify(catalog);
  }

  typed(source: string): void {
    this.source = source;
    this.#changed();
  }

  chooseCatalog(catalog: Catalog): void {
    this.catalog = catalog;
    this.#changed();
  }

  /** Give up what was typed, and go back to what one began with. */
  discard(): void {
    clearTimeout(this.#timer);
    if (!this.#isNewerElsewhere(this.#drafts.read())) this.#drafts.discard();
    this.#isDirty = false;
    this.restored = undefined;
    ({ source: this.source, catalog: this.catalog, basedOn: this.basedOn, from: this.from } = this.#start);
  }

  /** Keep what is typed now, in this browser, unless it is kept already or another tab was typed into since. */
  keep(): void {
    clearTimeout(this.#timer);
    const kept = this.#drafts.read();
    if (!this.#isDirty && (kept || !this.isChanged)) return;
    if (this.#isNewerElsewhere(kept)) {
      this.isElsewhere = true;
      this.isKept = !this.isChanged;
    } else if (this.isChanged) {
      const { source, catalog, basedOn } = this;
      this.isKept = this.#drafts.keep({ source, catalog, basedOn, at: this.#at, tab: this.#tab });
    } else {
      if (!this.isElsewhere) this.#drafts.discard();
      this.isKept = true;
    }
    this.#isDirty = !this.isKept && !this.isElsewhere;
  }

  /** Another tab has kept or discarded a draft of the same campaign: what is typed here is no longer the one kept. */
  changedElsewhere(key: string | null): void {
    if (key !== this.#drafts.key) return;
    this.isElsewhere = true;
    if (this.isChanged) this.isKept = this.#drafts.read()?.tab === this.#tab;
  }

  /** Save the text as a draft of the campaign on the server; whether it was. What is typed meanwhile stays. */
  async save(campaign: string): Promise<boolean> {
    const { source, catalog, basedOn } = this;
    this.isSaving = true;
    this.problem = this.conflict = this.saved = undefined;
    const body = { source, filename: `${campaign || "campaign"}.trigger`, draft: true, based_on: basedOn };
    try {
      const { answer, isNew } = await api.make("/v1/campaigns", {
        body: { ...body, ...catalogPart(catalog), campaign: campaign || null },
      });
      this.isOld = !isNew;
      this.#wasSaved(answer, { source, catalog, basedOn: Math.max(basedOn, answer.version) });
      return true;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === CONFLICT && campaign) await this.compare(campaign, problem);
      else this.problem = problem;
      return false;
    } finally {
      this.isSaving = false;
    }
  }

  /** Show how the newest version differs from what is typed. */
  async compare(campaign: string, problem?: Problem): Promise<void> {
    try {
      const { versions } = await api.get("/v1/campaigns/{campaign}", { path: { campaign } });
      const version = Math.max(...versions.map((each) => each.version));
      const newest = await api.get("/v1/campaigns/{campaign}/{version}", { path: { campaign, version } });
      this.conflict = { problem, newest };
    } catch (error) {
      this.problem = problem ?? asProblem(error);
    }
  }

  /** Go on with one's own text, which is to follow the newest version; or with that version's. */
  settle(conflict: Conflict, choice: "mine" | "theirs"): void {
    const start = startOf(conflict.newest, conflict.newest.version);
    this.#start = start;
    this.basedOn = start.basedOn;
    this.from = undefined;
    if (choice === "theirs") {
      this.source = start.source;
      this.catalog = start.catalog;
    }
    this.conflict = undefined;
    this.#touch();
    this.keep();
  }

  /** Let the page of the saved campaign's own address say what was saved. */
  handOver(): void {
    if (this.saved) handedOver = { saved: this.saved, isOld: this.isOld };
  }

  #wasSaved(applied: Applied, start: Start): void {
    this.#start = start;
    this.basedOn = start.basedOn;
    this.restored = this.from = undefined;
    this.saved = applied;
    this.#isDirty = true; // its draft has to go
    this.keep();
  }

  #isNewerElsewhere(kept: Draft | undefined): boolean {
    return kept !== undefined && kept.tab !== this.#tab && kept.at > this.#at;
  }

  #touch(): void {
    this.#isDirty = true;
    this.#at = Date.now();
  }

  #changed(): void {
    this.saved = undefined;
    this.#touch();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), KEEP_AFTER_MS);
  }
}

/** A version as one begins with it; `newest` is the newest version that is known. */
export function startOf(version: CampaignDetails, newest: number): Start {
  const [reference] = version.review.catalogs;
  const catalog: Catalog =
    reference === undefined ? { kind: "own", text: version.signals } : { kind: "published", reference };
  const from = version.version < newest ? version.version : undefined;
  return { source: version.source.replaceAll("\r\n", "\n"), catalog, basedOn: newest, from };
}
