// What the search box offers while one types: properties and functions, and what they mean.

export interface Suggestion {
  /** What is inserted. */
  text: string;
  /** What it is, in a few words. */
  detail: string;
}

/** Texts, names in quotes, and words; the last of a text may lack its quote. */
const TOKENS = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|[A-Za-z_][\w.]*/g;

/** The word that the caret is in, or at the end of: from where to where it goes, and its part before the caret. None within a text. */
export function wordAt(text: string, caret: number): { from: number; to: number; word: string } {
  for (const { 0: token, index: from } of text.matchAll(TOKENS)) {
    if (from >= caret || caret > from + token.length || token.startsWith("'")) continue;
    const isOpen = token.startsWith('"') && token.split('"').length % 2 === 0; // it takes all that follows
    return { from, to: isOpen ? caret : from + token.length, word: text.slice(from, caret) };
  }
  return { from: caret, to: caret, word: "" };
}

/** The text with a suggestion in place of the word at the caret, and where the caret is then. */
export function withTaken(text: string, caret: number, taken: string): { text: string; caret: number } {
  const { from, to } = wordAt(text, caret);
  const after = text.slice(to);
  const rest = taken.endsWith("(") && after.startsWith("(") ? after.slice(1) : after;
  return { text: text.slice(0, from) + taken + rest, caret: from + taken.length };
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
