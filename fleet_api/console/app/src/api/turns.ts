// Turns at costly requests: the API lets each user do one search at a time, so the console's searches wait for each other.
import { abortError, Problem } from "./problem";

/** How often, and after how long, a search is tried again that another tab stands in the way of. */
const TRIES = 20;
const PAUSE_MS = 400;

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Do some work once what was asked for before is done. AbortError if `signal` gives it up before its turn, or while
   * it lasts: its requests themselves go on, as the API has not forgotten them either.
   */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = before.then(() => {
      if (signal.aborted) throw abortError();
      return patiently(signal, work);
    });
    this.#last = mine.catch(() => undefined);
    const result = await mine;
    if (signal.aborted) throw abortError();
    return result;
  }
}

async function patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof Problem && error.status === 429;
      if (!isBusy || tries === TRIES || signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** The turns of searches, counts and facets. */
export const searches = new Turns();
