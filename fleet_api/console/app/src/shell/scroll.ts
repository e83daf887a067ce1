// How far a page is scrolled: at the top when it is new, where it was left when one comes back to it.

/** What ends coming back: somebody does something with the page. */
const DEEDS = ["wheel", "touchstart", "pointerdown", "keydown"] as const;
/** How long answers may take before a page that grows is one that somebody reads. */
const COMES_WITHIN_MS = 15_000;

/** How far the page is scrolled, kept in its entry of the history for somebody who comes back to it. */
export function keepScroll(): void {
  history.replaceState({ scrolled: window.scrollY }, "");
}

/** How far the entry of the history where one is now was scrolled, in px; 0 for a new one. */
export function keptScroll(): number {
  const state: unknown = history.state;
  return typeof state === "object" && state !== null && "scrolled" in state && typeof state.scrolled === "number" ? state.scrolled : 0;
}

/**
 * Scroll to there, as soon as what the page shows is long enough, unless somebody does something before. Gives what ends it.
 *
 * The browser does that by itself within one page; on another one, what was there comes only after answers.
 */
export function scrollBack(to: number): () => void {
  window.scrollTo(0, to);
  const growing = new ResizeObserver(() => {
    window.scrollTo(0, to);
    if (window.scrollY >= to - 1) end(); // a part of a pixel may be missing
  });
  function end(): void {
    growing.disconnect();
    clearTimeout(late);
    for (const deed of DEEDS) window.removeEventListener(deed, end);
  }
  const late = setTimeout(end, COMES_WITHIN_MS);
  if (to > 0) {
    growing.observe(document.body);
    for (const deed of DEEDS) window.addEventListener(deed, end, { passive: true });
  }
  return end;
}
