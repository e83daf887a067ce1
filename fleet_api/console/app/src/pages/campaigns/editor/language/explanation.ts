// What is told about a place of a trigger file: a signal's type and unit, what a word means, what an operator costs.
import type { Schemas } from "../../../../api/types";
import { count } from "../../../../format/format";
import { tokenize, type Token } from "./lexer";
import { fieldsOf, listsOf, listText, signalText, type Vocabulary } from "./offers";
import { reading } from "./places";

export type Program = Schemas["ProgramView"];
export type Let = Schemas["LetView"];
export type Operator = Schemas["ExplainedOperatorView"];
/** A place as the API counts it: from 1, columns in characters. */
export interface Position {
  line: number;
  column: number;
}
export interface Explanation {
  /** The part of the line that it is about, as indexes into it. */
  from: number;
  to: number;
  title: string;
  lines: string[];
}

/** After these words comes a name that is no let's, even where it is the same. */
const NAMERS: ReadonlySet<string> = new Set(["trigger", "campaign", "fence", "collect"]);

/**
 * What is known about the character at `at` of a line; null if nothing is. `position` is its place in the file, `file`
 * the whole text, and where in it the line begins.
 */
export function explained(
  line: string,
  at: number,
  position: Position,
  vocabulary: Vocabulary,
  programs: readonly Program[],
  lets: readonly Let[],
  file: () => { text: string; lineFrom: number } = () => ({ text: line, lineFrom: 0 }),
): Explanation | null {
  const tokens = tokenize(line);
  const index = tokens.findIndex(({ from, to }) => from <= at && at < to);
  const token = tokens[index];
  if (!token || token.kind === "comment" || token.kind === "odd") return null;
  const isOther = NAMERS.has(tokens[index - 1]?.text ?? "");
  const ofObject = vocabulary.objects.length > 0 ? meaningOfObject(token, file(), vocabulary) : null;
  const about = ofObject ?? (isOther ? null : meaningOfLet(token.text, lets)) ?? meaning(token.text, vocabulary);
  const costs = costLines(position, programs);
  if (!about && costs.length === 0) return null;
  const title = about?.title ?? token.text;
  return { from: token.from, to: token.to, title, lines: [...(about?.lines ?? []), ...costs] };
}

/** What a let is, its value, and what all of it costs where that is counted; a let hides a signal of its name. */
function meaningOfLet(word: string, lets: readonly Let[]): { title: string; lines: string[] } | null {
  const found = lets.find(({ name }) => name === word);
  if (!found) return null;
  const { name, type, unit, text, operations_per_tick, state_bytes } = found;
  const what = [`let: ${type}`, unit].filter((part) => part !== "").join(", ");
  const isCounted = operations_per_tick !== null && state_bytes !== null;
  const cost = isCounted ? [`${costText({ operations_per_tick, state_bytes })}, with all that it stands on`] : [];
  return { title: name, lines: [what, `= ${text}`, ...cost] };
}

/** What an object or a field of one is, `o`, `o.x` or the `.x` behind `nearest(...)`, where the object has its name. */
function meaningOfObject(
  token: Token,
  { text, lineFrom }: { text: string; lineFrom: number },
  vocabulary: Vocabulary,
): { title: string; lines: string[] } | null {
  if (!["word", "dotted", "field"].includes(token.kind)) return null;
  const { objects, chosen } = reading(text, lineFrom + token.from);
  const [head = "", name = ""] = token.text.split(".");
  const of = token.kind === "field" ? chosen.get(lineFrom + token.from) : objects.find((each) => each.name === head)?.of;
  if (of === undefined || (of === null && name === "")) return null;
  const lists = listsOf(of, vocabulary);
  if (lists.length === 0) return null;
  const names = lists.map((list) => list.name).join(" or ");
  if (name === "") return { title: head, lines: [`an object of ${names}`, ...lists.map(listText)] };
  const field = fieldsOf(of, vocabulary).find((each) => each.name === name);
  if (!field) return null;
  const lines = [signalText(field), `a field of the objects of ${names}`, field.describe];
  return { title: token.text, lines: lines.filter((line) => line !== "") };
}

function meaning(text: string, vocabulary: Vocabulary): { title: string; lines: string[] } | null {
  const signal = vocabulary.signals.find(({ name }) => name === text);
  if (signal) {
    const lines = [signalText(signal), signal.describe].filter((line) => line !== "");
    return { title: signal.name, lines };
  }
  const list = vocabulary.objects.find(({ name }) => name === text);
  if (list) return { title: list.name, lines: [listText(list), list.describe].filter((line) => line !== "") };
  const words = vocabulary.words.filter((word) => word.text === text);
  if (words.length === 0) return null;
  const forms = [...new Set(words.flatMap((word) => word.forms))];
  return { title: forms.join("  or  "), lines: [...new Set(words.map((word) => word.summary))] };
}

/** What the innermost operator at a place costs, in each program that has it. */
function costLines(position: Position, programs: readonly Program[]): string[] {
  const found = programs.map((program) => ({ program, operator: innermost(position, program.operators) }));
  const shown = found.filter((each) => each.operator !== undefined);
  const lines = shown.map(({ program, operator }) => {
    const where = programs.length > 1 && program.campaign !== null ? ` in ${program.campaign}` : "";
    return operator ? `${operator.text}: ${costText(operator)}${where}` : "";
  });
  return [...new Set(lines)];
}

function innermost(position: Position, operators: readonly Operator[]): Operator | undefined {
  const around = operators.filter((operator) => holds(operator, position));
  return around.sort((one, other) => one.text.length - other.text.length)[0];
}

function holds({ line, column, end_line, end_column }: Operator, position: Position): boolean {
  const isAfterBeginning = position.line > line || (position.line === line && position.column >= column);
  const isBeforeEnd = position.line < end_line || (position.line === end_line && position.column < end_column);
  return isAfterBeginning && isBeforeEnd;
}

/** `12 to 30 operations per tick, 64 bytes of state`. */
export function costText(cost: Pick<Operator, "operations_per_tick" | "state_bytes">): string {
  const { least, most } = cost.operations_per_tick;
  const operations = least === most ? count(most) : `${count(least)} to ${count(most)}`;
  const state = cost.state_bytes > 0 ? `, ${count(cost.state_bytes)} bytes of state` : "";
  return `${operations} operations per tick${state}`;
}
