// Completion: what `offersAt` offers, as CodeMirror shows it.
import {
  autocompletion,
  insertCompletionText,
  pickedCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { offersAt, restOf, type Offer, type Vocabulary } from "./offers";

const TYPES: Readonly<Record<Offer["kind"], string>> = {
  keyword: "keyword",
  operator: "keyword",
  function: "function",
  signal: "variable",
  name: "property",
  unit: "constant",
  value: "text",
};
const MOST = 100;
const VALID_FOR = /^["\w.%/^*]*$/;

/** Completion with the vocabulary that `known` gives; none until there is one. */
export function completion(known: () => Vocabulary | undefined): Extension {
  const source = (context: CompletionContext): CompletionResult | null => {
    const vocabulary = known();
    if (!vocabulary) return null;
    const found = offersAt(context.state.doc.toString(), context.pos, vocabulary, context.explicit);
    if (!found) return null;
    return { from: found.from, options: found.offers.map(shown), validFor: VALID_FOR };
  };
  return autocompletion({ override: [source], icons: false, maxRenderedOptions: MOST });
}

/** Put an offer in place of the whole word, also where the cursor is in its middle; a word that begins at the cursor stays another one. */
function take(view: EditorView, offer: Offer, completion: Completion, from: number, at: number): void {
  const line = view.state.doc.lineAt(at);
  const to = at + restOf(offer.kind, line.text, from - line.from, at - line.from);
  const gap = to === at && /[\w.]/.test(line.text.charAt(at - line.from)) ? " " : "";
  view.dispatch({ ...insertCompletionText(view.state, offer.text + gap, from, to), annotations: pickedCompletion.of(completion) });
}

function shown(offer: Offer, index: number): Completion {
  return {
    label: offer.text,
    type: TYPES[offer.kind],
    detail: offer.detail,
    apply: (view, completion, from, to) => take(view, offer, completion, from, to),
    boost: -Math.min(index, 90) / 100, // what is named first stands first among equals
    ...(offer.info === "" ? {} : { info: offer.info }),
  };
}
