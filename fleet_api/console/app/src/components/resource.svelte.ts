// Something that is loaded from the API: its data, its problem, and loading again, by hand, by time or by what changed.
import { asProblem, isAbort, type Problem } from "../api/problem";

export interface Polling {
  /** Load again so often while the page is visible; without it, only when asked to. A function may tell it by what is loaded. */
  everyS?: number | (() => number);
}

/** Made while a component is set up: `const campaigns = new Resource((signal) => api.get("/v1/campaigns", { signal }))`.
 *
 * State that `load` reads before its first `await` (props, `router.query`) makes it load again when it changes; the
 * request before is given up. What was loaded stays until something newer is there, also when loading fails. Where
 * there is nothing to ask, `load` returns undefined, and there is no data.
 */
export class Resource<T> {
  data = $state.raw<T>();
  problem = $state.raw<Problem>();
  isLoading = $state(true);
  #load: (signal: AbortSignal) => Promise<T> | undefined;
  #controller: AbortController | undefined;
  #asked = $state(0);

  constructor(load: (signal: AbortSignal) => Promise<T> | undefined, polling: Polling = {}) {
    this.#load = load;
    $effect(() => {
      void this.#asked;
      this.#start();
      return () => this.#controller?.abort();
    });
    const { everyS } = polling;
    if (everyS !== undefined) $effect(() => this.#poll(typeof everyS === "number" ? everyS : everyS()));
  }

  /** Whether the first answer is there, or why there is none: from then on, what it shows keeps its place. */
  get isSettled(): boolean {
    return this.data !== undefined || this.problem !== undefined;
  }

  /** Load again now. */
  again(): void {
    this.#asked += 1;
  }

  #start(): void {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    const loading = this.#load(controller.signal); // what it reads here is tracked
    if (!loading) {
      this.data = this.problem = undefined;
      this.isLoading = false;
      return;
    }
    loading.then(
      (data) => {
        if (controller.signal.aborted) return;
        this.data = data;
        this.problem = undefined;
        this.isLoading = false;
      },
      (error: unknown) => {
        if (controller.signal.aborted || isAbort(error)) return;
        this.isLoading = false;
        this.problem = asProblem(error);
      },
    );
    queueMicrotask(() => {
      if (!controller.signal.aborted && this.#controller === controller) this.isLoading = true;
    });
  }

  #poll(everyS: number): () => void {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && !this.isLoading) this.again();
    }, everyS * 1000);
    const seen = () => {
      if (document.visibilityState === "visible") this.again();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }
}
