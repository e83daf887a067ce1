// Checking a text while it is typed: a moment after the last key, one check at a time, and only the newest text's counts.
import { api, type Body } from "../../../api/client";
import { abortError, asProblem, isAbort, type Problem } from "../../../api/problem";
import { Turns } from "../../../api/turns";
import type { Schemas } from "../../../api/types";
import type { Catalog } from "./drafts";
import type { Vocabulary } from "./language/offers";

export type Check = Schemas["CheckView"];
type Asked = Body<"/v1/authoring/check">;

/** After the last key; diagnostics are to be there 300 ms after it, and a check of 2,000 lines takes up to 200 ms. */
const PAUSE_MS = 60;
/** Costs are asked for once somebody stops to think. */
const THINKING_MS = 700;
/** What could not be checked is tried again after so long. */
const AGAIN_MS = 5000;

/** The turns of checks and vocabularies: the API does one at a time for each user. */
export const checks = new Turns();

/** What a request says of a signal catalog. */
export function catalogPart(catalog: Catalog): { signals: string } | { catalog: string } {
  return catalog.kind === "own" ? { signals: catalog.text } : { catalog: catalog.reference };
}

/** What a text may name that is compiled against a catalog. One that is being written is sent after a pause, not for each
 * key. Throws a Problem, or an AbortError when `signal` gives it up.
 */
export async function vocabularyOf(catalog: Catalog, signal: AbortSignal): Promise<Vocabulary> {
  if (catalog.kind === "own") await new Promise((resolve) => setTimeout(resolve, THINKING_MS));
  if (signal.aborted) throw abortError();
  return checks.take(signal, () => api.post("/v1/authoring/vocabulary", { body: catalogPart(catalog) }));
}

export class Checking {
  /** The findings about the newest text that was checked; undefined before the first ones. */
  found = $state.raw<Check>();
  /** Costs and settings of exactly the text that is shown; undefined while they are not known. */
  costs = $state.raw<Check>();
  problem = $state.raw<Problem>();
  isBusy = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller = new AbortController();

  /** The text has changed, or what it is checked against: what was asked about the one before is given up. */
  typed(source: string, catalog: Catalog): void {
    this.stop();
    this.isBusy = true;
    this.costs = undefined;
    this.#later(PAUSE_MS, () => this.#check(source, catalog));
  }

  /** The text as `longtail fmt` writes it; null if it has mistakes of syntax. Throws a Problem. */
  async formatted(source: string, catalog: Catalog): Promise<string | null> {
    const { formatted } = await this.#ask(source, catalog, new AbortController().signal, { formatted: true });
    return formatted;
  }

  /** Ask nothing more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #later(afterMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, afterMs);
  }

  #check(source: string, catalog: Catalog): void {
    this.#run(source, catalog, {}, (found) => {
      this.found = found;
      if (found.ok) this.#later(THINKING_MS, () => this.#explain(source, catalog));
    });
  }

  #explain(source: string, catalog: Catalog): void {
    this.#run(source, catalog, { explained: true }, (found) => {
      this.costs = found;
    });
  }

  #run(source: string, catalog: Catalog, wanted: Partial<Asked>, told: (found: Check) => void): void {
    this.#controller.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.#ask(source, catalog, controller.signal, wanted).then(
      (found) => {
        this.isBusy = false;
        this.problem = undefined;
        told(found);
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        this.isBusy = false;
        const problem = asProblem(error);
        if (problem.detail !== this.problem?.detail) this.problem = problem; // or it would be read out again and again
        if (problem.isPassing) this.#later(AGAIN_MS, () => this.#check(source, catalog));
      },
    );
  }

  #ask(source: string, catalog: Catalog, signal: AbortSignal, wanted: Partial<Asked>): Promise<Check> {
    const body = { filename: "campaign.trigger", source, ...catalogPart(catalog), ...wanted };
    return checks.take(signal, () => api.post("/v1/authoring/check", { body }));
  }
}
