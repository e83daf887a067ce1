// Where one is in a trigger file, told token by token: in which block and clause, and what a token is there.
// Words of the language are keywords only where a block or clause can begin, as for triggers/language/text/parser.py.
import { BLOCKS, NAMES_TOO, tokenize, type Token } from "./lexer";
import { ObjectNames, type Lists, type ObjectName } from "./objects";

export type Block = "file" | "let" | "param" | "set" | "import" | "fence" | "trigger" | "campaign" | "capture";
export type Style =
  | "keyword"
  | "definition"
  | "operator"
  | "function"
  | "name"
  | "atom"
  | "number"
  | "unit"
  | "text"
  | "mark"
  | "comment"
  | "invalid";

/** What has been read so far; never changed, so that it can be kept for each line. */
export interface Place {
  block: Block;
  /** The word of the clause, such as `when`; empty before the first one. */
  clause: string;
  /** Whether the name of a block comes next. */
  isNamed: boolean;
  /** Whether an operand has just ended, after which an operator, a comma or the next clause comes. */
  isAfterOperand: boolean;
  /** The last four tokens, the newest first. */
  last: readonly Token[];
}

export const BEGINNING: Place = { block: "file", clause: "", isNamed: false, isAfterOperand: false, last: [] };

const CLAUSES: Readonly<Record<Block, ReadonlySet<string>>> = {
  file: BLOCKS,
  let: BLOCKS,
  param: BLOCKS,
  set: BLOCKS,
  import: BLOCKS,
  fence: BLOCKS,
  trigger: new Set(["describe", "when", "cooldown", "capture", "tags", "sample", "priority", "budget"]),
  campaign: new Set(
    "describe collect compare target rollout sample budget upload priority active retain".split(" "),
  ),
  capture: new Set(["signals", "cameras"]),
};
const OPERATORS = new Set("and or not for tolerating between in outside yellow red then without within over".split(" "));
/** Words that join only where an operand has ended; elsewhere they are names. */
const JOINTS = new Set(["since", "after", "at", "from", "to", "where", "by"]);
/** Words that follow only these. */
const FOLLOWERS: Readonly<Record<string, string>> = { at: "for", most: "at" };
const ATOMS = new Set(["true", "false"]);
/** The words within clauses that are not conditions. */
const FORMS: Readonly<Record<string, ReadonlySet<string>>> = {
  capture: new Set(["before", "after"]),
  rollout: new Set(["for"]),
  sample: new Set(["in"]),
  budget: new Set("total clips per vehicle day then keep drop".split(" ")),
  upload: new Set("on up to wifi cellular".split(" ")),
  active: new Set(["to"]),
  compare: new Set(["events", "with", "within"]),
};
const CONDITIONS = new Set(["when", "target"]);

/** Whether a condition stands here. */
export function isCondition(place: Place): boolean {
  return place.block === "let" || CONDITIONS.has(place.clause);
}

/** The words that can begin something here: blocks or the clauses of a block. */
export function beginners(block: Block): ReadonlySet<string> {
  return CLAUSES[block];
}

/** The place after a token, and what the token is. `next` is the character after it. */
export function read(place: Place, token: Token, startsLine: boolean, next: string): { place: Place; style: Style } {
  if (token.kind === "comment") return { place, style: "comment" };
  if (token.kind === "odd") return { place, style: "invalid" };
  const last = [token, ...place.last.slice(0, 3)];
  const isAll = place.clause === "signals" && token.text === "*";
  const isOperand = token.kind !== "mark" || token.text === ")" || isAll;
  const on: Place = { ...place, last, isAfterOperand: isOperand };
  switch (token.kind) {
    case "mark":
      return { place: bracketed(on, token.text), style: "mark" };
    case "text":
      return { place: on, style: "text" };
    case "unit":
      return { place: on, style: "unit" };
    case "number":
    case "date":
      return { place: on, style: "number" };
    case "word":
      return word(place, on, token.text, startsLine, next);
    default:
      return { place: on, style: "name" };
  }
}

function word(place: Place, on: Place, text: string, startsLine: boolean, next: string): { place: Place; style: Style } {
  if (startsLine && beginsBlock(place, text)) return { place: begun(on, text), style: "keyword" };
  if (place.isNamed && place.block === "import" && text === "as") return { place: on, style: "operator" };
  if (place === BEGINNING && text === "language") return { place: on, style: "keyword" };
  if (place.isNamed) return { place: { ...on, isNamed: false }, style: "definition" };
  const before = place.last[0];
  const canBegin = startsLine || place.isAfterOperand || !before || before.text === "{" || before.text === "}";
  if (canBegin && CLAUSES[place.block].has(text)) return { place: begun(on, text), style: "keyword" };
  if (FORMS[place.clause]?.has(text)) return { place: { ...on, isAfterOperand: false }, style: "operator" };
  if (isCondition(place)) {
    if (isOperator(place, text)) return { place: { ...on, isAfterOperand: false }, style: "operator" };
    if (ATOMS.has(text)) return { place: on, style: "atom" };
    if (next === "(") return { place: on, style: "function" };
  }
  return { place: on, style: "name" };
}

/** Whether a word at the start of a line begins a block: one that may be a name does not where an operand has to come. */
function beginsBlock(place: Place, text: string): boolean {
  return BLOCKS.has(text) && (!NAMES_TOO.has(text) || place.block === "file" || place.isAfterOperand);
}

function isOperator(place: Place, text: string): boolean {
  if (OPERATORS.has(text)) return true;
  if (place.isAfterOperand) return JOINTS.has(text);
  return text === "every" || (text in FOLLOWERS && place.last[0]?.text === FOLLOWERS[text]);
}

function begun(on: Place, text: string): Place {
  if (text === "file") return { ...on, block: "file", clause: "", isNamed: false, isAfterOperand: false };
  if (BLOCKS.has(text)) return { ...on, block: text as Block, clause: "", isNamed: true, isAfterOperand: false };
  return { ...on, clause: text, isAfterOperand: false };
}

function bracketed(on: Place, mark: string): Place {
  if (mark === "{" && on.block === "trigger" && on.clause === "capture") return { ...on, block: "capture", clause: "" };
  if (mark !== "}") return on;
  if (on.block === "capture") return { ...on, block: "trigger", clause: "capture", isAfterOperand: true };
  return { ...on, block: "file", clause: "", isAfterOperand: false };
}

/** Each token of a text, with the place before and after it, and what it is. */
interface Step {
  token: Token;
  before: Place;
  after: Place;
  style: Style;
}

function* steps(text: string): Generator<Step> {
  let before = BEGINNING;
  let end = 0;
  for (const token of tokenize(text)) {
    const startsLine = end === 0 || text.slice(end, token.from).includes("\n");
    const { place: after, style } = read(before, token, startsLine, text.charAt(token.to));
    yield { token, before, after, style };
    before = after;
    end = token.to;
  }
}

/** The texts of files that a text contains, as it is sent with the file that imports them. */
class Files {
  /** The text of each file: from its start to its end. */
  private readonly contained: { path: string; from: number; to: number }[] = [];
  private readonly imports: { path: string; as: string; at: number }[] = [];
  /** The path that `file` or `import` was given, which stands before what it names. */
  private path: string | null = null;
  private depth = 0;

  read({ token, before, style }: Step): void {
    const open = this.contained.at(-1);
    const isOpen = open?.to === Infinity;
    if (style === "keyword" && token.text === "file") {
      if (isOpen) open.to = token.from;
      this.depth = 0;
      this.path = "";
    } else if (style === "keyword" && token.text === "import") {
      this.path = "";
    } else if (token.kind === "text" && this.path === "") {
      this.path = token.text.slice(1, -1);
    } else if (style === "definition" && before.block === "import" && this.path !== null) {
      this.imports.push({ path: this.path, as: token.text, at: token.from });
      this.path = null;
    } else if (token.kind === "mark" && token.text === "{") {
      if (before.block === "file" && this.path) this.contained.push({ path: this.path, from: token.to, to: Infinity });
      this.path = null;
      this.depth += 1;
    } else if (token.kind === "mark" && token.text === "}") {
      this.depth -= 1;
      if (isOpen && this.depth <= 0) open.to = token.from;
    }
  }

  /** How a name is written at a place that is defined at another one; null where it cannot be: names reach one file far. */
  written(name: string, defined: number, at: number): string | null {
    const [home, here] = [this.at(defined), this.at(at)];
    if (home === here) return name;
    const folder = here.slice(0, here.lastIndexOf("/") + 1);
    const found = this.imports.find((each) => folder + each.path === home && this.at(each.at) === here);
    return found ? `${found.as}.${name}` : null;
  }

  /** The path of the file that a place is in; empty outside of those that the text contains. */
  private at(place: number): string {
    return this.contained.find(({ from, to }) => from <= place && place <= to)?.path ?? "";
  }
}

/** A file that is read as far as some place, and what it defines before that place and after it: as it is written there. */
export interface Reading {
  place: Place;
  lets: string[];
  params: string[];
  sets: string[];
  triggers: string[];
  fences: string[];
  campaigns: string[];
  /** The names that objects have at the place, those of the innermost form first. */
  objects: ObjectName[];
  /** The arguments of the let at the place. */
  arguments: string[];
  /** By the place of the dot, the lists of which one has the field that comes next: `nearest(o in tracked by o.x).v`. */
  chosen: ReadonlyMap<number, Lists>;
}

/** Read a text up to `until`, and what all of it defines, or imports. */
export function reading(text: string, until: number): Reading {
  const definitions: { block: Block; name: string; from: number }[] = [];
  let place = BEGINNING;
  let there: Place | undefined;
  const tokens: Token[] = [];
  const files = new Files();
  for (const step of steps(text)) {
    const { token, before, after, style } = step;
    if (there === undefined && token.to > until) there = before;
    if (style === "definition") definitions.push({ block: before.block, name: token.text, from: token.from });
    if (style !== "comment") tokens.push(token);
    files.read(step);
    place = after;
  }
  const written = (name: string, defined: number, at: number) => files.written(name, defined, at);
  const named = new ObjectNames(tokens, written);
  const of = (block: Block): string[] =>
    definitions
      .filter((each) => each.block === block)
      .map(({ name, from }) => written(name, from, until))
      .filter((name) => name !== null);
  const own = (block: Block): string[] => of(block).filter((name) => !name.includes("."));
  return {
    place: there ?? place,
    lets: of("let"),
    params: of("param"),
    sets: of("set"),
    triggers: own("trigger"),
    fences: of("fence"),
    campaigns: own("campaign"),
    objects: named.at(until),
    arguments: named.argumentsAt(until),
    chosen: named.chosen(),
  };
}

/** Where a clause can be added to a campaign: before its closing brace. */
export interface Room {
  at: number;
  /** Whether the brace stands alone on its line, so that nothing has to be broken. */
  isOnItsLine: boolean;
  /** The clauses that it has. */
  clauses: string[];
}

/** The room in a campaign; null if there is no such campaign, or it is not closed. */
export function roomFor(text: string, campaign: string): Room | null {
  const clauses: string[] = [];
  let isThere = false;
  for (const { token, before, style } of steps(text)) {
    if (style === "definition") isThere = before.block === "campaign" && token.text === campaign;
    else if (!isThere) continue;
    else if (style === "keyword") clauses.push(token.text);
    else if (token.text === "}") {
      const lineStart = text.lastIndexOf("\n", token.from) + 1;
      const isOnItsLine = text.slice(lineStart, token.from).trim() === "";
      return { at: isOnItsLine ? lineStart : token.from, isOnItsLine, clauses };
    }
  }
  return null;
}
