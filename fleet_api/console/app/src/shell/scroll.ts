// How far a page is scrolled: at the top when it is new, where it was left when one comes back to it.

/** What ends coming back: somebody does something with the page. */
const DEEDS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/** How far the page is scrolled, kept in its entry of the history for whoever comes back to it. */
export function keepScroll(): void {
  history.replaceState({ scrolled: window.scrollY }, "");
}

/** How far the entry of the history where one is now was scrolled, in px; 0 for a new one. */
export function keptScroll(): number {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "scrolled" in state && typeof state.scrolled === "number" ? state.scrolled : 0;
}

/** Scroll to there, as soon as what the page shows is long enough, unless somebody does something before. Gives what ends it. */
export function scrollBack(to: number): () => void {
  window.scrollTo(0, to);
  const growing = new ResizeObserver(() => {
    window.scrollTo(0, to);
    if (window.scrollY >= to - 1) end(); // a part of a pixel may be missing
  });
  function end(): void {
    growing.disconnect();
    for (const deed of DEEDS) window.removeEventListener(deed, end);
  }
  if (to > 0) {
    growing.observe(document.body);
    for (const deed of DEEDS) window.addEventListener(deed, end, { passive: true });
  }
  return end;
}
