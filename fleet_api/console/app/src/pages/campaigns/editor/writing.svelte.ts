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
}
/** Another version has come in between: what the API says, and that version. */
export interface Conflict {
  problem: Problem | undefined;
  newest: CampaignDetails;
}

const KEEP_AFTER_MS = 300;
const CONFLICT = "conflict";

/** What was saved last, so that a page that has a new address because of it can say so. */
let lastSaved: Applied | undefined;

export class Writing {
  source = $state("");
  catalog = $state.raw<Catalog>({ kind: "own", text: "" });
  basedOn = $state(0);
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

  constructor(start: Start, drafts: Drafts, campaign: string) {
    this.#drafts = drafts;
    this.#start = start;
    const kept = drafts.read();
    const begin = kept ?? start;
    this.source = begin.source;
    this.catalog = begin.catalog;
    this.basedOn = begin.basedOn;
    if (kept && this.isChanged) this.restored = kept;
    if (lastSaved?.campaign === campaign) this.saved = lastSaved;
    lastSaved = undefined;
  }

  get isChanged(): boolean {
    const { source, catalog } = this.#start;
    return this.source !== source || JSON.stringify(this.catalog) !== JSON.stringify(catalog);
  }

  typed(source: string): void {
    this.source = source;
    this.#keepLater();
  }

  chooseCatalog(catalog: Catalog): void {
    this.catalog = catalog;
    this.#keepLater();
  }

  /** Give up what was typed, and go back to what one began with. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#drafts.discard();
    this.restored = undefined;
    ({ source: this.source, catalog: this.catalog, basedOn: this.basedOn } = this.#start);
  }

  /** Keep what is typed now, in this browser. */
  keep(): void {
    clearTimeout(this.#timer);
    if (!this.isChanged) {
      if (!this.isElsewhere) this.#drafts.discard();
      this.isKept = true;
      return;
    }
    const { source, catalog, basedOn } = this;
    this.isKept = this.#drafts.keep({ source, catalog, basedOn, at: Date.now(), tab: this.#tab });
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
      const applied = await api.post("/v1/campaigns", {
        body: { ...body, ...catalogPart(catalog), campaign: campaign || null },
      });
      this.#wasSaved(applied, { source, catalog, basedOn: Math.max(basedOn, applied.version) });
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
    if (choice === "theirs") {
      this.source = start.source;
      this.catalog = start.catalog;
    }
    this.conflict = undefined;
    this.keep();
  }

  #wasSaved(applied: Applied, start: Start): void {
    this.isOld = applied.version <= this.basedOn;
    this.#start = start;
    this.basedOn = start.basedOn;
    this.restored = undefined;
    this.saved = lastSaved = applied;
    this.keep();
  }

  #keepLater(): void {
    this.saved = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), KEEP_AFTER_MS);
  }
}

/** A version as one begins with it; `newest` is the newest version that is known. */
export function startOf(version: CampaignDetails, newest: number): Start {
  const [reference] = version.review.catalogs;
  const catalog: Catalog =
    reference === undefined ? { kind: "own", text: version.signals } : { kind: "published", reference };
  return { source: version.source.replaceAll("\r\n", "\n"), catalog, basedOn: newest };
}
