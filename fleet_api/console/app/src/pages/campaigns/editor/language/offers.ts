// What is offered at a place of a trigger file: words of the language, signals, names of the file, units, values.
import type { Schemas } from "../../../../api/types";
import { NEVER_UNITS, type Token } from "./lexer";
import type { Lists } from "./objects";
import { isCondition, reading, type Place, type Reading } from "./places";

export type Vocabulary = Schemas["VocabularyView"];
export type Word = Schemas["WordView"];
export type Signal = Schemas["SignalView"];
export type ObjectList = Schemas["ObjectListView"];
/** A signal, or a field of an object as `o.x`, whose type may also be that of a key. */
type Value = Omit<Signal, "type"> & { type: Signal["type"] | "id" };

export interface Offer {
  text: string;
  /** What kind of thing it is; decides on its sign and its order. */
  kind: "keyword" | "operator" | "function" | "signal" | "name" | "unit" | "value";
  /** Beside it: type and unit of a signal, the form of a word. */
  detail: string;
  /** What it means, in a sentence. */
  info: string;
}
/** What replaces the text from `from` on. */
export interface Offers {
  from: number;
  offers: Offer[];
}

/** Units that most files need and that are no symbols of their own. */
const USUAL_UNITS = ["km/h", "m/s", "m/s^2", "deg/s", "1/s"];
const UNIT_BEFORE = /(?:^|[^\w.])[0-9][0-9.eE+-]*[ \t]*((?:1\/)?[A-Za-z%µ°][A-Za-z%µ°/^*0-9]*|)$/;
const TEXT_BEFORE = /"[^"]*$/;
const WORD_BEFORE = /[A-Za-z_][\w.]*$/;
/** A field that is read of what a bracket gives: `nearest(o in tracked by o.x).v`. */
const FIELD_BEFORE = /\)\.(\w*)$/;
/** After these comes a value of what is in the brackets before them: `changed(gear) from "P"`. */
const CHANGES = new Set(["from", "to"]);
const LIMITS = ["yellow", "red"];
const HEADS = new Set(["disagree", "divergence"]);

/** What may be written at `at`; null where nothing is to be offered. `isAsked`: also where no letter was typed yet. */
export function offersAt(text: string, at: number, vocabulary: Vocabulary, isAsked: boolean): Offers | null {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const quoted = isOdd(line) ? TEXT_BEFORE.exec(line) : null;
  if (quoted) return some(at - quoted[0].length, ofText(reading(text, at - quoted[0].length), vocabulary));
  if (line.replace(/"[^"]*"/g, "").includes("#")) return null;
  const unit = UNIT_BEFORE.exec(line)?.[1];
  const field = FIELD_BEFORE.exec(line)?.[1];
  if (field !== undefined) return some(at - field.length, ofChosen(reading(text, at), at - field.length - 1, vocabulary));
  const typed = WORD_BEFORE.exec(line)?.[0] ?? "";
  if (unit !== undefined && (unit !== "" || isAsked)) {
    const found = reading(text, at - unit.length);
    if (found.place.last[0]?.kind === "number") {
      const words = typed === unit ? ofPlace(reading(text, at - typed.length), vocabulary) : [];
      return some(at - unit.length, [...units(found, vocabulary), ...words]);
    }
  }
  if (typed === "" && !isAsked) return null;
  return some(at - typed.length, ofPlace(reading(text, at - typed.length), vocabulary));
}

const REST_OF_TEXT = /[^"]*"/y;
const REST_OF_UNIT = /[A-Za-z%µ°/^*0-9]*/y;
/** Of a name, also one that stands for a branch, such as `ego.*`. */
const REST_OF_WORD = /[\w.]*(?:(?<=\.)\*)?/y;

/** Of a word from `from` to the cursor at `at`, how many characters after it go when an offer of this kind is taken. */
export function restOf(kind: Offer["kind"], line: string, from: number, at: number): number {
  const isBegun = from < at || line[at - 1] === "."; // a word that starts at the cursor is another one
  const isInText = isOdd(line.slice(0, at));
  const isClosed = isOdd(line.slice(at)); // otherwise the next quote begins another text
  if (!isBegun || (isInText && !isClosed)) return 0;
  const rest = isInText ? REST_OF_TEXT : kind === "unit" ? REST_OF_UNIT : REST_OF_WORD;
  rest.lastIndex = at;
  return rest.exec(line)?.[0].length ?? 0;
}

/** Whether a text is open after this part of a line: it has an odd number of quotes. */
function isOdd(part: string): boolean {
  return (part.match(/"/g) ?? []).length % 2 === 1;
}

function some(from: number, offers: Offer[]): Offers | null {
  return offers.length > 0 ? { from, offers } : null;
}

function ofPlace(found: Reading, vocabulary: Vocabulary): Offer[] {
  const { place } = found;
  if (place.isNamed) return [];
  const before = place.last[0];
  const begins = !before || place.isAfterOperand || before.text === "{" || before.text === "}" || place.block === "file";
  const clauses = begins ? wordsOf(vocabulary, CLAUSE_KINDS[place.block]) : [];
  if (isCondition(place) && before?.text !== "{") return [...clauses, ...inCondition(found, vocabulary)];
  if (place.isAfterOperand) return clauses;
  return [...clauses, ...inClause(found, vocabulary)];
}

const CLAUSE_KINDS = {
  file: ["block"],
  let: ["block"],
  param: ["block"],
  set: ["block"],
  import: ["block"],
  fence: ["block"],
  trigger: ["trigger clause"],
  campaign: ["campaign clause"],
  capture: ["capture clause"],
} as const satisfies Record<Place["block"], readonly Word["kind"][]>;

function inCondition(found: Reading, vocabulary: Vocabulary): Offer[] {
  const { place, lets, params, sets, fences } = found;
  const operators = wordsOf(vocabulary, ["operator"]);
  if (place.isAfterOperand) return operators.filter(({ text }) => text !== "not");
  if (place.clause === "target" && place.block === "campaign") {
    return [...attributes(vocabulary), ...operators.filter(({ text }) => text === "not")];
  }
  if (place.last[0]?.text === "outside") return LIMITS.map((text) => named(text, "limits"));
  const called = place.last[0]?.text === "(" ? place.last[1]?.text : undefined;
  if (called !== undefined && HEADS.has(called)) return heads(vocabulary);
  if (place.last[0]?.text === "in") {
    const isForm = ["(", "for"].includes(place.last[2]?.text ?? "");
    const lists = isForm ? [...found.arguments.map(argument), ...vocabulary.objects.map(list)] : [];
    return [...lists, ...sets.map((name) => named(name, "set"))];
  }
  if (called === "inside") return fences.map((name) => named(name, "fence"));
  return [
    ...values(found, vocabulary),
    ...found.arguments.map(argument),
    ...fields(found, vocabulary).map(signal),
    ...vocabulary.signals.map(signal),
    ...lets.map((name) => named(name, "let")),
    ...params.map((name) => named(name, "param")),
    ...wordsOf(vocabulary, ["function"]),
    ...operators.filter(({ text }) => text === "not"),
  ];
}

function inClause({ place, triggers, params }: Reading, vocabulary: Vocabulary): Offer[] {
  switch (place.clause) {
    case "collect":
      return triggers.map((name) => named(name, "trigger"));
    case "compare":
      if (place.last[0]?.text === "with") return vocabulary.signals.filter(({ type }) => type === "bool").map(signal);
      return heads(vocabulary);
    case "cooldown":
    case "capture":
    case "retain":
      return params.map((name) => named(name, "param"));
    case "signals":
      return [named("*", "all that are not derived"), ...branches(vocabulary), ...captured(vocabulary)];
    case "cameras":
      return vocabulary.cameras.map((name) => named(name, "camera"));
    case "upload":
      return ["on wifi", "up to 20 MB on cellular"].map((text) => named(text, "network"));
    default:
      return [];
  }
}

function wordsOf(vocabulary: Vocabulary, kinds: readonly Word["kind"][]): Offer[] {
  return vocabulary.words
    .filter((word) => kinds.includes(word.kind))
    .map((word) => ({ text: word.text, kind: signOf(word), detail: word.forms[0] ?? "", info: word.summary }));
}

function signOf(word: Word): Offer["kind"] {
  if (word.kind === "operator") return "operator";
  return word.kind === "function" ? "function" : "keyword";
}

function signal(each: Value): Offer {
  return { text: each.name, kind: "signal", detail: signalText(each), info: each.describe };
}

function captured(vocabulary: Vocabulary): Offer[] {
  return [...vocabulary.signals.map(signal), ...vocabulary.objects.map(list)];
}

function list(each: ObjectList): Offer {
  return { text: each.name, kind: "signal", detail: listText(each), info: each.describe };
}

/** What a list of objects has: `up to 64 objects, 20 Hz: id, x, v`. */
export function listText({ max, rate, fields: declared }: ObjectList): string {
  const often = rate === null ? "without a rate" : `${rate} Hz`;
  return `up to ${max} objects, ${often}: ${declared.map(({ name }) => name).join(", ")}`;
}

/** The fields of the objects that have a name here, as `o.x`. */
function fields({ objects }: Reading, vocabulary: Vocabulary): Value[] {
  return objects.flatMap(({ name, of }) => fieldsOf(of, vocabulary).map((each) => ({ ...each, name: `${name}.${each.name}` })));
}

/** The fields of the objects of some lists, each name once; of all lists where nothing says which. */
export function fieldsOf(of: Lists, vocabulary: Vocabulary): Value[] {
  const all = listsOf(of, vocabulary).flatMap(({ rate, fields }) => fields.map((field) => ({ ...field, rate })));
  return all.filter(({ name }, index) => all.findIndex((each) => each.name === name) === index);
}

/** The lists of these names, or all where nothing says which. */
export function listsOf(of: Lists, vocabulary: Vocabulary): ObjectList[] {
  return vocabulary.objects.filter(({ name }) => of === null || of.includes(name));
}

/** The fields of the object that is chosen before the dot at `dot`. */
function ofChosen({ chosen }: Reading, dot: number, vocabulary: Vocabulary): Offer[] {
  const of = chosen.get(dot);
  return of === undefined ? [] : fieldsOf(of, vocabulary).map(signal);
}

/** What a token stands for: a signal, a field `o.x`, or the field of a chosen object. */
function valueOf(token: Token, found: Reading, vocabulary: Vocabulary): Value | undefined {
  const of = token.kind === "field" ? found.chosen.get(token.from) : undefined;
  if (of !== undefined) return fieldsOf(of, vocabulary).find(({ name }) => `.${name}` === token.text);
  return [...fields(found, vocabulary), ...vocabulary.signals].find(({ name }) => name === token.text);
}

/** Type, unit and rate of a signal: `number, m/s, 50 Hz`. */
export function signalText({ type, unit, rate, values: allowed }: Value): string {
  const what = type === "text" ? `text: ${allowed.join(", ")}` : type;
  return [what, unit, rate === null ? "without a rate" : `${rate} Hz`].filter((part) => part !== "").join(", ");
}

function argument(name: string): Offer {
  return named(name, "argument");
}

function named(text: string, what: string): Offer {
  return { text, kind: "name", detail: what, info: "" };
}

function heads(vocabulary: Vocabulary): Offer[] {
  return vocabulary.heads.map((name) => named(name, "head: active and shadow"));
}

function attributes(vocabulary: Vocabulary): Offer[] {
  return Object.entries(vocabulary.attributes).map(([name, type]) => named(`vehicle.${name}`, type));
}

/** `ego.*` and the like: each beginning of a name that several signals share. */
function branches(vocabulary: Vocabulary): Offer[] {
  const counts = new Map<string, number>();
  for (const { name } of [...vocabulary.signals, ...vocabulary.objects]) {
    const parts = name.split(".");
    for (let length = 1; length < parts.length; length += 1) {
      const branch = parts.slice(0, length).join(".");
      counts.set(branch, (counts.get(branch) ?? 0) + 1);
    }
  }
  return [...counts].map(([branch, count]) => named(`${branch}.*`, `${count} signals`));
}

/** The texts that a signal may have, after `signal ==`. */
function values(all: Reading, vocabulary: Vocabulary): Offer[] {
  const { place } = all;
  const [first, second, third] = place.last;
  // `gear in (`, `changed(gear) from` and `gear ==`
  const isIn = first?.text === "(";
  const mark = isIn ? second : first;
  const name = isIn || CHANGES.has(first?.text ?? "") ? third : second;
  if (!mark || !name || !["==", "!=", "in", ...CHANGES].includes(mark.text)) return [];
  const found = valueOf(name, all, vocabulary);
  return (found?.values ?? []).map((value) => ({ text: `"${value}"`, kind: "value", detail: name.text, info: "" }));
}

function ofText(found: Reading, vocabulary: Vocabulary): Offer[] {
  return isCondition(found.place) ? values(found, vocabulary) : [];
}

/** All units, first those that signals and usual conditions have. */
function units(found: Reading, vocabulary: Vocabulary): Offer[] {
  const before = found.place.last.map((token) => valueOf(token, found, vocabulary));
  const compared = before.find((each) => each !== undefined)?.unit ?? "";
  const ofSignals = vocabulary.signals.map(({ unit }) => unit);
  const all = new Set([compared, ...USUAL_UNITS, ...ofSignals, ...vocabulary.units]);
  const offered = [...all].filter((unit) => unit !== "" && !NEVER_UNITS.has(unit));
  return offered.map((text) => ({ text, kind: "unit", detail: text === compared ? "the signal's unit" : "unit", info: "" }));
}
