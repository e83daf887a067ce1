// The lexer of trigger files, for highlighting and completion: the tokens of triggers/language/text/lexer.py.
// tests/fleet_api/console/test_lexer.py runs both on the same texts: kinds and places must be equal. It imports nothing.

export type Kind =
  | "word"
  | "dotted"
  /** The `.x` right after a bracket: `nearest(...).x`. */
  | "field"
  | "wildcard"
  | "number"
  | "unit"
  | "date"
  | "text"
  | "mark"
  /** A comment, and characters that start no token: the language's lexer has no tokens for them. */
  | "comment"
  | "odd";

export interface Token {
  kind: Kind;
  /** As the language reads it: `and` for `&&`, `0.5` for `.5`. */
  text: string;
  from: number;
  to: number;
}

export const BLOCKS: ReadonlySet<string> = new Set(["let", "trigger", "campaign", "fence", "param", "set", "import", "file"]);
/** Those that begin a block only if a name or a text follows, since signals may have these names, too. */
export const NAMES_TOO: ReadonlySet<string> = new Set(["param", "set", "import", "file"]);
/** Words that may follow a number but are never its unit. */
export const NEVER_UNITS: ReadonlySet<string> = new Set([
  ...BLOCKS,
  ..."describe when cooldown capture tags collect compare target rollout sample budget upload priority active retain".split(" "),
  ..."after and at before between cameras cellular clips for in not on or over per signals since then to tolerating total up".split(" "),
  ..."outside wifi within without".split(" "),
]);

/** These, and words that are names wherever a number cannot stand before them. */
const AFTER_NUMBERS: ReadonlySet<string> = new Set([...NEVER_UNITS, "by", "where"]);

const WORD = "[A-Za-z_][A-Za-z0-9_]*";
/** Letters and digits of any script, as `\w` of Python has them. */
const ANY = "\\p{L}\\p{N}_";
const FACTOR =
  "(?:%|[A-Za-z\\u00b5\\u03a9\\u00b0\\u03bc\\u2126\\u2103\\u2109\\uff05\\u2070\\u00b9\\u00b2\\u00b3\\u2074-\\u2079\\u207b]+(?:\\^-?[0-9]+)?)";
const UNIT = new RegExp(`[ \\t]*((?:1\\/)?${FACTOR}(?:[*\\/\\u00b7\\u22c5]${FACTOR}|\\/100km)*)(?![${ANY}.(])`, "yu");
const BLANK = /[ \t\r\n]+/y;
const FIELD = new RegExp(`\\.${WORD}`, "y");
/** In the order in which they are tried. */
const PATTERNS: readonly [Kind, RegExp][] = [
  ["comment", /#[^\n]*/y],
  ["wildcard", new RegExp(`${WORD}(?:\\.${WORD})*\\.\\*`, "y")],
  ["dotted", new RegExp(`${WORD}(?:\\.${WORD})+`, "y")],
  ["word", new RegExp(WORD, "y")],
  ["date", /[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])/y],
  ["number", /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y],
  ["text", /"[^"\n]*"/y],
  ["mark", /<=|>=|==|!=|[<>+\-*/(){},=]/y],
];

const MISWRITTEN: readonly [string, string][] = [
  ["===", "=="],
  ["!==", "!="],
  ["=>", ">="],
  ["=<", "<="],
  ["<>", "!="],
];
const LOOSE_NUMBER =
  /0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+(?:_[0-9]+)+(?:\.[0-9]+)?|[0-9]*\.[0-9]+|[0-9]+\.(?![A-Za-z0-9_.])/y;
const LOOSE_TIME = /([0-9]{4}-[0-9]{2}-[0-9]{2})T[0-9:.]+(?:Z|[+-][0-9:]+)?/y;
const LOOSE_DATE = /([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?![A-Za-z0-9_.])/y;
const CLOCK = /([0-9]{1,2}):[0-5][0-9](?::[0-5][0-9])?(?![A-Za-z0-9_:.])/y;
const THOUSANDS = /[0-9]{1,3}(?:\.[0-9]{3}){2,}(?![A-Za-z0-9_.])/y;
const VERSION = /[0-9]+(?:\.[0-9]+){2,}(?![A-Za-z0-9_.])/y;
const FOREIGN_COMMENT = /\/[/*][^\n]*/y;
const MAX_LOOSE = 40;
const FOREIGN_WORD = new RegExp(`[\\p{L}\\p{Nl}\\p{No}_][${ANY}]*(?:\\.[${ANY}]+)*`, "yu");
const QUOTES = "'`\\u00b4\\u2018\\u2019\\u201a\\u201b\\u201c\\u201d\\u201e\\u201f\\u00ab\\u00bb\\u2039\\u203a\\uff02\\uff07";
const QUOTED = new RegExp(`[${QUOTES}]([^${QUOTES}"\\n]*)[${QUOTES}"]`, "yu");
const MEANT: Readonly<Record<string, string>> = {
  "&&": "and", "||": "or", "!": "not", "\u2227": "and", "\u2228": "or", "\u00ac": "not",
  "&": "and", "|": "or", "%": "*", "^": "*",
}; // prettier-ignore
const MARKS_MEANT: Readonly<Record<string, string>> = {
  "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2010": "-", "\u2011": "-",
  "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u2217": "*", "\u00f7": "/", "\u2215": "/", "\u2044": "/",
  "\u2264": "<=", "\u2a7d": "<=", "\u2265": ">=", "\u2a7e": ">=", "\u2260": "!=", "\u2261": "==",
  "[": "(", "]": ")",
}; // prettier-ignore
const PLAIN_MARKS: ReadonlySet<string> = new Set("<>=+-*/(){},");
const INVISIBLE = /^[\p{Z}\p{C}]$/u;
const LETTER = /^\p{L}$/u;

/** All tokens of a text, none of which goes over the end of a line. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const lastClosing = text.lastIndexOf("*/");
  let at = 0;
  let hasClocks = true; // up to a `?`, after which `10:30` are two values of a condition
  while (at < text.length) {
    const blank = matched(BLANK, text, at);
    if (blank) {
      at += blank[0].length;
      hasClocks ||= blank[0].includes("\n");
      continue;
    }
    if (text.startsWith("/*", at) && at + 2 <= lastClosing) {
      const end = text.indexOf("*/", at + 2) + 2;
      const lines = linesOfComment(text, at, end);
      tokens.push(...lines);
      hasClocks ||= lines.length > 1;
      at = end;
      continue;
    }
    if (text[at] === "?") hasClocks = false;
    const token = otherForm(text, at, hasClocks) ?? ofTheLanguage(text, at) ?? fieldAfter(tokens.at(-1), text, at) ?? repaired(text, at);
    tokens.push(token);
    at = token.to;
    const unit = token.kind === "number" ? unitAt(text, at) : null;
    if (unit) {
      tokens.push(unit);
      at = unit.to;
    }
  }
  return tokens;
}

function ofTheLanguage(text: string, at: number): Token | null {
  for (const [kind, pattern] of PATTERNS) {
    const found = matched(pattern, text, at);
    if (found) return token(kind, found[0], at);
  }
  return null;
}

function fieldAfter(before: Token | undefined, text: string, at: number): Token | null {
  if (before?.kind !== "mark" || before.text !== ")" || before.to !== at) return null;
  const found = matched(FIELD, text, at);
  return found && token("field", found[0], at);
}

function unitAt(text: string, at: number): Token | null {
  const found = matched(UNIT, text, at);
  const unit = found?.[1];
  if (!found || unit === undefined || AFTER_NUMBERS.has(unit)) return null;
  return token("unit", unit, at + found[0].length - unit.length);
}

/** A comment in the form of other languages, one token for each of its lines. */
function linesOfComment(text: string, from: number, end: number): Token[] {
  let start = from;
  return text
    .slice(from, end)
    .split("\n")
    .map((line) => {
      const written = token("comment", line, start);
      start += line.length + 1;
      return written;
    });
}

/** A name, constant, comparison or comment in a form that other languages have. */
function otherForm(text: string, at: number, hasClocks: boolean): Token | null {
  const first = characterAt(text, at);
  if (first === "/") {
    const comment = matched(FOREIGN_COMMENT, text, at)?.[0];
    return comment === undefined ? null : token("comment", comment, at);
  }
  if ("=!<".includes(first)) {
    const written = MISWRITTEN.find(([mark]) => text.startsWith(mark, at));
    return written ? token("mark", written[1], at, written[0].length) : null;
  }
  if ("0123456789.".includes(first)) return looseConstant(text, at, hasClocks);
  if (first === "_" || LETTER.test(first)) {
    const word = matched(FOREIGN_WORD, text, at)?.[0];
    if (word === undefined || isAscii(word)) return null;
    return token(word.includes(".") ? "dotted" : "word", word, at);
  }
  return null;
}

function looseConstant(text: string, at: number, hasClocks: boolean): Token | null {
  const time = matched(LOOSE_TIME, text, at);
  if (time && time[0].length <= MAX_LOOSE) return token("date", time[1] ?? "", at, time[0].length);
  if (time) return null;
  const date = matched(LOOSE_DATE, text, at);
  if (date) {
    const [written, day = "", month = "", year = ""] = date;
    const read = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
    return exists(read) ? token("date", read, at, written.length) : token("text", `"${written}"`, at, written.length);
  }
  const clock = matched(CLOCK, text, at);
  if (clock) return hasClocks ? token("number", clock[1] ?? "", at, clock[0].length) : null;
  const thousands = matched(THOUSANDS, text, at)?.[0];
  const version = thousands ?? matched(VERSION, text, at)?.[0];
  if (version !== undefined && version.length > MAX_LOOSE) return null;
  if (thousands !== undefined) return token("number", thousands.replaceAll(".", ""), at, thousands.length);
  if (version !== undefined) return token("text", `"${version}"`, at, version.length);
  return looseNumber(text, at);
}

/** Whether a day, such as 2026-12-31, is in the calendar. */
function exists(day: string): boolean {
  const read = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(day) && !day.startsWith("0000");
}

function looseNumber(text: string, at: number): Token | null {
  const written = matched(LOOSE_NUMBER, text, at)?.[0];
  if (written === undefined || written.length > MAX_LOOSE) return null;
  if (/^0[xb]/i.test(written)) return token("number", BigInt(written).toString(), at, written.length);
  const digits = written.replaceAll("_", "").replace(/\.$/, "");
  const plain = digits.startsWith(".") ? `0${digits}` : digits;
  return plain === written ? null : token("number", plain, at, written.length);
}

/** Characters that start no token: what was clearly meant, or one odd token for a run of them. */
function repaired(text: string, at: number): Token {
  if (text[at] === '"') {
    const end = text.indexOf("\n", at);
    const unclosed = text.slice(at, end < 0 ? text.length : end);
    return token("text", `${unclosed}"`, at, unclosed.length);
  }
  const quoted = matched(QUOTED, text, at);
  if (quoted) return token("text", `"${quoted[1] ?? ""}"`, at, quoted[0].length);
  const run = text.slice(at, endOfRun(text, at));
  const word = MEANT[run] ?? (run === characterAt(text, at) ? markMeant(run) : null);
  if (word === null || word === undefined) return token("odd", run, at);
  return token(/^[a-z]+$/.test(word) ? "word" : "mark", word, at, run.length);
}

/** Where the characters end that are one mistake: those like the first one that start no token either. */
function endOfRun(text: string, at: number): number {
  const first = characterAt(text, at);
  let end = at + first.length;
  if (markMeant(first) !== null) return end;
  const isHidden = INVISIBLE.test(first);
  while (end < text.length && text[end] !== '"' && !startsToken(text, end)) {
    const next = characterAt(text, end);
    if (INVISIBLE.test(next) !== isHidden || markMeant(next) !== null) break;
    end += next.length;
  }
  return end;
}

function startsToken(text: string, at: number): boolean {
  return matched(BLANK, text, at) !== null || PATTERNS.some(([, pattern]) => matched(pattern, text, at) !== null);
}

/** The operator or bracket that a character of another script or keyboard stands for. */
function markMeant(character: string): string | null {
  const meant = MARKS_MEANT[character];
  if (meant !== undefined) return meant;
  const plain = character.normalize("NFKC");
  return plain !== character && PLAIN_MARKS.has(plain) ? plain : null;
}

function token(kind: Kind, text: string, from: number, length = text.length): Token {
  return { kind, text, from, to: from + length };
}

/** The character (code point) at a place. */
function characterAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function matched(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
