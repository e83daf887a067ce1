// A backtest as a job of the API: started, followed until it is over, and cancelled. What it gave before stays until then.
import { api } from "../../../api/client";
import { asProblem, isAbort, Problem } from "../../../api/problem";
import type { Schemas } from "../../../api/types";
import type { BacktestRequest } from "./asked";

type Page = Schemas["BacktestPage"];
export type Backtest = Schemas["BacktestView"];
const POLL_MS = 700;
/** After a request that failed, such as in a restart of the API. */
const PATIENCE_MS = 3000;

export function isOver({ state }: Backtest): boolean {
  return state === "done" || state === "failed";
}

/** Made while a component is set up; `id` reads the address, `moved` changes it. */
export class Job {
  /** The backtest of the address, as far as it is. */
  now = $state.raw<Backtest>();
  /** The last one that was done, with its results. */
  done = $state.raw<Page>();
  problem = $state.raw<Problem>();
  /** The user's own other backtest that must be over first, if it stands in the way. */
  inTheWay = $state.raw<Backtest>();
  isStarting = $state(false);
  #moved: (id: string | null) => void;

  constructor(id: () => string | null, moved: (id: string | null) => void) {
    this.#moved = moved;
    $effect(() => {
      const wanted = id();
      this.problem = undefined;
      if (wanted === null) {
        this.now = undefined;
        return;
      }
      const controller = new AbortController();
      void this.#follow(wanted, controller.signal);
      return () => controller.abort();
    });
  }

  get isRunning(): boolean {
    return this.isStarting || (this.now !== undefined && !isOver(this.now));
  }

  /** Run another one; the one before is cancelled if it is not over. */
  async start(request: BacktestRequest): Promise<void> {
    if (this.isStarting) return;
    this.isStarting = true;
    this.problem = undefined;
    this.inTheWay = undefined;
    try {
      await this.#end(this.now);
      const started = await api.post("/v1/backtests", { body: request });
      this.now = started;
      this.#moved(started.id);
    } catch (error) {
      this.problem = asProblem(error);
      if (this.problem.status === 429) this.inTheWay = await openOne();
    } finally {
      this.isStarting = false;
    }
  }

  /** Cancel the one that stands in the way, so that another can be started. */
  async clear(): Promise<void> {
    const other = this.inTheWay;
    this.inTheWay = undefined;
    await this.#end(other);
  }

  async cancel(): Promise<void> {
    try {
      await this.#end(this.now);
      this.now = undefined;
      this.#moved(null);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  async #end(job: Backtest | undefined): Promise<void> {
    if (!job || isOver(job)) return;
    try {
      await api.delete("/v1/backtests/{backtest_id}", { path: { backtest_id: job.id } });
    } catch (error) {
      if (asProblem(error).status !== 404) throw error; // it is over meanwhile, and forgotten
    }
  }

  async #follow(id: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = POLL_MS;
      try {
        const page = await api.get("/v1/backtests/{backtest_id}", { path: { backtest_id: id }, signal });
        if (signal.aborted) return;
        this.problem = undefined;
        this.now = page.backtest;
        if (page.backtest.state === "done") this.done = page;
        if (isOver(page.backtest)) return;
      } catch (error) {
        if (isAbort(error) || signal.aborted) return;
        this.problem = asProblem(error);
        if (!this.problem.isPassing) return;
        pauseMs = PATIENCE_MS;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** The user's own backtest that is not over. */
async function openOne(): Promise<Backtest | undefined> {
  try {
    return (await api.get("/v1/backtests")).backtests.find((each) => !isOver(each));
  } catch (error) {
    if (error instanceof Problem) return undefined; // the problem that is shown says enough
    throw error;
  }
}
