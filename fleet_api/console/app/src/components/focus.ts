// Where the focus goes on when what had it goes away, without taking it from a person who is elsewhere by then.
import { tick } from "svelte";

/** Whether nothing has the focus: what had it is gone, or was never given it. */
export function isFocusLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Put the focus back on a button that was disabled while its request was under way, if nothing else has it. */
export async function focusAgain(button: HTMLElement | undefined): Promise<void> {
  await tick(); // it is enabled by then
  if (isFocusLost()) button?.focus();
}

/** Put the focus on `next` once `pressed` was answered and will go; somebody who types elsewhere meanwhile goes on there. */
export function focusNext(next: HTMLElement | undefined, pressed: Element | null): void {
  if (isFocusLost() || document.activeElement === pressed) next?.focus();
}
