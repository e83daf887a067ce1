// The names that stand for objects of lists, or for lists: those of forms such as `any(o in tracked where o.x < 5 m)`,
// and arguments of lets, which stand for what the calls of their let give them.
import { BLOCKS, type Token } from "./lexer";

/** Names of lists, of which an object may be one; null where nothing says which: an argument that no call gives. */
export type Lists = readonly string[] | null;

/** A name of an object, and the lists that it may be of. */
export interface ObjectName {
  name: string;
  of: Lists;
}

/** What a form or a call names: an object by the word after `in`, which is a list or an argument that stands for one. */
interface Form {
  name: string;
  of: string;
}

/** A bracket, from its opening to behind its closing; what is called with it, and the object that a form in it names. */
interface Bracket {
  from: number;
  to: number;
  called: string;
  /** The first token of each of its items, which commas divide. */
  items: Token[];
  object: Form | null;
}

/** A let with arguments, from its name to before the block after it. */
interface LetWithArguments {
  name: string;
  from: number;
  to: number;
  arguments: string[];
}

/** These name their object behind the value that they begin with: `min(o.x for o in tracked)`. */
const NAMED_BEHIND = new Set(["min", "max", "sum"]);

/** The tokens of a file, and the names that stand for objects in it. */
export class ObjectNames {
  private readonly brackets: readonly Bracket[];
  private readonly lets: readonly LetWithArguments[];

  /** `written`: how a name is written at a place that is defined at another one; null where it cannot be. */
  constructor(
    tokens: readonly Token[],
    private readonly written: (name: string, defined: number, at: number) => string | null,
  ) {
    this.brackets = bracketsOf(tokens);
    this.lets = letsOf(tokens);
  }

  /** Those at a place, of the innermost form first; a form that is to be written may name any. */
  at(place: number): ObjectName[] {
    const around = this.brackets.filter(({ from, to }) => from < place && place < to).reverse();
    const inner = around[0];
    const isUnnamed = inner !== undefined && inner.object === null && NAMED_BEHIND.has(inner.called);
    const found = new Map<string, ObjectName>();
    for (const { object, from } of isUnnamed ? [...around, ...this.brackets] : around) {
      if (object && !found.has(object.name)) found.set(object.name, { name: object.name, of: this.meant(object.of, from) });
    }
    for (const name of this.argumentsAt(place)) {
      if (!found.has(name)) found.set(name, { name, of: this.meant(name, place) });
    }
    return [...found.values()];
  }

  /** The arguments of the let that is defined at a place. */
  argumentsAt(place: number): string[] {
    return this.letAt(place)?.arguments ?? [];
  }

  /** By the place behind each `nearest(...)`, the lists of which one has what it chooses. */
  chosen(): ReadonlyMap<number, Lists> {
    const nearest = this.brackets.filter(({ called, object }) => called === "nearest" && object);
    return new Map(nearest.map(({ from, to, object }) => [to, this.meant(object?.of ?? "", from)]));
  }

  private letAt(place: number): LetWithArguments | undefined {
    return this.lets.find(({ from, to }) => from < place && place <= to);
  }

  /** The lists that a name at a place stands for: itself, or what the calls of its let give for it. */
  private meant(name: string, place: number, seen: ReadonlySet<string> = new Set()): Lists {
    const of = this.letAt(place);
    const index = of?.arguments.indexOf(name) ?? -1;
    if (of === undefined || index < 0) return [name];
    const key = `${of.name}(${name})`;
    if (seen.has(key)) return [];
    const isCall = ({ called, from }: Bracket) => called === this.written(of.name, of.from, from);
    const calls = this.brackets.filter((each) => isCall(each) && !(of.from <= each.from && each.from <= of.to));
    const given = calls.flatMap(({ items, from }) => {
      const item = items[index];
      return item ? [this.given(item, from, new Set([...seen, key]))] : [];
    });
    if (given.length === 0 || given.includes(null)) return null;
    return [...new Set(given.flatMap((lists) => lists ?? []))];
  }

  /** The lists of what a call gives: `nearest(...)`, an object by its name, a list, or an argument. */
  private given(item: Token, call: number, seen: ReadonlySet<string>): Lists {
    const nearest = item.text === "nearest" && this.brackets.find(({ from }) => from >= item.to);
    if (nearest) return nearest.object ? this.meant(nearest.object.of, nearest.from, seen) : [];
    const named = this.brackets.filter(({ from, to, object }) => from < call && call < to && object?.name === item.text).at(-1);
    return this.meant(named?.object?.of ?? item.text, call, seen);
  }
}

/** All brackets of a text, in the order in which they open; one that is never closed ends with its block. */
function bracketsOf(tokens: readonly Token[]): Bracket[] {
  const all: Bracket[] = [];
  const open: Bracket[] = [];
  for (const [index, token] of tokens.entries()) {
    const { kind, text, from, to } = token;
    const [opening, name, word] = [tokens[index - 3], tokens[index - 2], tokens[index - 1]];
    const around = open.at(-1);
    if (around && (word?.to === around.from + 1 || word?.text === ",") && text !== ")") around.items.push(token);
    if (kind === "mark" && text === "(") {
      const bracket = { from, to: Infinity, called: word?.text ?? "", items: [], object: null };
      all.push(bracket);
      open.push(bracket);
    } else if (kind === "mark" && text === ")") {
      const closed = open.pop();
      if (closed) closed.to = to;
    } else if (kind === "mark" && (text === "{" || text === "}")) {
      for (const bracket of open.splice(0)) bracket.to = from;
    } else {
      const isForm = word?.text === "in" && (opening?.text === "(" || opening?.text === "for");
      if (around && name && isForm) around.object ??= { name: name.text, of: text };
    }
  }
  return all;
}

/** All lets with arguments: `let ahead(o) = o.x > 0 m`. */
function letsOf(tokens: readonly Token[]): LetWithArguments[] {
  const all: LetWithArguments[] = [];
  let current: LetWithArguments | undefined;
  for (const [index, { kind, text, from }] of tokens.entries()) {
    const [name, opening] = [tokens[index + 1], tokens[index + 2]];
    if (kind === "word" && BLOCKS.has(text) && name?.kind !== "mark") {
      if (current) current.to = from;
      current = undefined;
    }
    if (text === "let" && name && opening?.text === "(") {
      const end = tokens.findIndex((each, at) => at > index && each.text === ")");
      const names = tokens.slice(index + 3, end < 0 ? index + 3 : end).filter((each) => each.kind === "word");
      current = { name: name.text, from: name.from, to: Infinity, arguments: names.map((each) => each.text) };
      all.push(current);
    }
  }
  return all;
}
