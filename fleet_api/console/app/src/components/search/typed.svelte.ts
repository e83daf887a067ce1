// The filter that somebody types: in the address a moment after the last key, and what the address has when that changes.
import { router } from "../../shell/router.svelte";

/** Soon enough to seem immediate, and not at every key. */
const PAUSE_MS = 150;

/** Made while a component is set up; what was typed last is given up with the component, whose address it was for. */
export class TypedFilter {
  /** As it is typed. */
  text = $state("");
  /** The filter of the address. */
  readonly wanted = $derived(router.query.get("filter") ?? "");
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.text = this.wanted;
    $effect(() => {
      this.text = this.wanted; // which changes by a link, too, or by going back
      return () => clearTimeout(this.#timer); // what was typed just before was not for the new address
    });
  }

  typed(now: string): void {
    this.text = now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => router.setQuery({ filter: now.trim() === "" ? null : now }), PAUSE_MS);
  }

  /** Another filter at once, as a new entry of the history. */
  set(now: string): void {
    clearTimeout(this.#timer);
    this.text = now;
    router.setQuery({ filter: now }, { replace: false });
  }
}
