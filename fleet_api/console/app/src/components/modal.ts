// Dialogs over the page: shown for as long as they are there; afterwards the focus is where it was before.
import { isFocusLost } from "./focus";

/** For `<dialog {@attach modal}>`. A dialog that goes with its component is not closed by the browser, which would lose the focus. */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = focused(document);
  dialog.showModal();
  return () => {
    if (isFocusLost() && before instanceof HTMLElement) before.focus();
  };
}

/** What has the focus, also within a shadow root, such as the text of the editor. */
function focused(root: Document | ShadowRoot): Element | null {
  const within = root.activeElement?.shadowRoot;
  return (within && focused(within)) ?? root.activeElement;
}
