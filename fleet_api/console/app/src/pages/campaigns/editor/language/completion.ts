// Completion: what `offersAt` offers, as CodeMirror shows it.
import { autocompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { offersAt, type Offer, type Vocabulary } from "./offers";

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

function shown(offer: Offer, index: number): Completion {
  return {
    label: offer.text,
    type: TYPES[offer.kind],
    detail: offer.detail,
    boost: -Math.min(index, 90) / 100, // what is named first stands first among equals
    ...(offer.info === "" ? {} : { info: offer.info }),
  };
}
