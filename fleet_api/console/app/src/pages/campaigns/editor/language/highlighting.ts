// Highlighting: the lexer's tokens line by line, and their colours, which come from tokens.css.
import { HighlightStyle, StreamLanguage, syntaxHighlighting, type StringStream } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { tokenize, type Token } from "./lexer";
import { BEGINNING, read, type Place, type Style } from "./places";

interface State {
  place: Place;
  /** The tokens of the line that is read, and how many of them were. */
  tokens: readonly Token[];
  read: number;
}

const TAGS = {
  keyword: tags.keyword,
  definition: tags.definition(tags.name),
  operator: tags.operatorKeyword,
  function: tags.function(tags.name),
  name: tags.name,
  atom: tags.atom,
  number: tags.number,
  unit: tags.unit,
  text: tags.string,
  mark: tags.punctuation,
  comment: tags.lineComment,
  invalid: tags.invalid,
} satisfies Record<Style, unknown>;

export const triggerLanguage = StreamLanguage.define<State>({
  name: "trigger",
  startState: () => ({ place: BEGINNING, tokens: [], read: 0 }),
  copyState: (state) => ({ ...state }),
  token: (stream, state) => styled(stream, state),
  tokenTable: TAGS,
  languageData: {
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "{", '"'] },
    indentOnInput: /^\s*\}$/,
  },
  indent: (state, textAfter, context) => {
    const { block, isAfterOperand } = state.place;
    const isDone = block === "file" || (isAfterOperand && ["let", "param", "set", "import"].includes(block));
    const depth = block === "capture" ? 2 : Number(!isDone);
    return Math.max(0, depth - (textAfter.startsWith("}") ? 1 : 0)) * context.unit;
  },
});

function styled(stream: StringStream, state: State): Style | null {
  if (stream.sol()) {
    state.tokens = tokenize(stream.string);
    state.read = 0;
  }
  const token = state.tokens[state.read];
  if (!token || stream.pos < token.from) {
    stream.pos = token?.from ?? stream.string.length;
    return null;
  }
  const startsLine = state.tokens.findIndex(({ kind }) => kind !== "odd") === state.read;
  const told = read(state.place, token, startsLine, stream.string.charAt(token.to));
  state.place = told.place;
  state.read += 1;
  stream.pos = token.to;
  return told.style;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.definition(tags.name), color: "var(--text)", fontWeight: "600" },
  { tag: tags.name, color: "var(--text)" },
  { tag: tags.operatorKeyword, color: "var(--code-operator)" },
  { tag: tags.function(tags.name), color: "var(--code-function)" },
  { tag: [tags.number, tags.atom], color: "var(--code-number)" },
  { tag: tags.unit, color: "var(--code-unit)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: tags.lineComment, color: "var(--text-muted)", fontStyle: "italic" },
  { tag: tags.invalid, color: "var(--bad)", textDecoration: "underline wavy" },
]);

export const highlighting: Extension = [triggerLanguage, syntaxHighlighting(COLOURS)];
