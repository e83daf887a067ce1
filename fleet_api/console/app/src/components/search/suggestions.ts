// What the search box offers while one types: properties and functions, and what they mean.

export interface Suggestion {
  /** What is inserted. */
  text: string;
  /** What it is, in a few words. */
  detail: string;
}

/** The word that ends at the caret: where it begins, and its text. */
export function wordAt(text: string, caret: number): { from: number; word: string } {
  const before = text.slice(0, caret);
  const quotes = (before.match(/'/g) ?? []).length;
  const word = /[A-Za-z_][\w.]*$/.exec(before)?.[0] ?? "";
  return quotes % 2 === 1 ? { from: caret, word: "" } : { from: caret - word.length, word };
}

/** The suggestions for a word: those that begin with it, then those that contain it; at most `most`. */
export function matching(all: readonly Suggestion[], word: string, most = 8): Suggestion[] {
  if (word === "") return [];
  const wanted = word.toLowerCase();
  const begins = all.filter(({ text }) => text.toLowerCase().startsWith(wanted));
  const contains = all.filter(({ text }) => {
    const at = text.toLowerCase().indexOf(wanted);
    return at > 0;
  });
  return [...begins, ...contains].filter(({ text }) => text !== word).slice(0, most);
}

/** The place that a message names, as an index into the text; null if it names none. */
export function placeOf(message: string, text: string): number | null {
  const found = /line (\d+), column (\d+)/.exec(message);
  if (!found) return null;
  const lines = text.split("\n");
  const line = Number(found[1]) - 1;
  if (line >= lines.length) return null;
  return lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + Number(found[2]) - 1;
}
