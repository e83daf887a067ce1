// The editor's view: CodeMirror in a shadow root, where its styles may stand without breaking the content policy.
import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  tooltips,
} from "@codemirror/view";
import { completion } from "./completion";
import { explained, type Explanation, type Let, type Program } from "./explanation";
import { indexOf, marked, positionOf, type Finding } from "./findings";
import { highlighting } from "./highlighting";
import type { Vocabulary } from "./offers";
import { refusals } from "./refusals";
import { appearance } from "./appearance";

export interface Hooks {
  /** Called with the text after each change. */
  changed: (text: string) => void;
  /** Called with why something was not inserted; null once something was. */
  refused: (why: string | null) => void;
  /** Called with what is known about the word at the cursor. */
  reached: (found: Explanation | null) => void;
  format: () => void;
  save: () => void;
  vocabulary: () => Vocabulary | undefined;
  /** The programs of exactly the text that is shown; empty while they are not known. */
  programs: () => readonly Program[];
  /** Its lets, known and not known at the same times. */
  lets: () => readonly Let[];
}

export const LABEL = "Trigger file";

/** An editor in `host`, with the text. */
export function openEditor(host: HTMLElement, text: string, hooks: Hooks): EditorView {
  const root = host.attachShadow({ mode: "open" });
  const holder = document.createElement("div");
  root.append(holder);
  return new EditorView({ parent: holder, root, state: EditorState.create({ doc: text, extensions: extensions(hooks) }) });
}

function extensions(hooks: Hooks): Extension {
  const own = keymap.of([
    { key: "Mod-s", preventDefault: true, run: () => done(hooks.save) },
    { key: "Shift-Alt-f", preventDefault: true, run: () => done(hooks.format) },
  ]);
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    EditorState.allowMultipleSelections.of(true),
    EditorState.tabSize.of(4),
    indentUnit.of("    "),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    lintGutter(),
    highlighting,
    completion(hooks.vocabulary),
    hover(hooks),
    tooltips({ position: "absolute" }),
    refusals(hooks.refused),
    own,
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...lintKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.contentAttributes.of({ "aria-label": LABEL, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) hooks.changed(update.state.doc.toString());
      if (update.docChanged || update.selectionSet) {
        hooks.reached(explanationAt(update.view, update.state.selection.main.head, hooks));
      }
    }),
    appearance,
  ];
}

function done(act: () => void): boolean {
  act();
  return true;
}

function hover(hooks: Hooks): Extension {
  return hoverTooltip((view, index) => {
    const found = explanationAt(view, index, hooks);
    if (!found) return null;
    const line = view.state.doc.lineAt(index);
    return {
      pos: line.from + found.from,
      end: line.from + found.to,
      above: true,
      create: () => ({ dom: box(found.title, found.lines) }),
    };
  });
}

function explanationAt(view: EditorView, index: number, hooks: Hooks): Explanation | null {
  const vocabulary = hooks.vocabulary();
  if (!vocabulary) return null;
  const line = view.state.doc.lineAt(index);
  const position = positionOf(view.state.doc, index);
  const file = () => ({ text: view.state.doc.toString(), lineFrom: line.from });
  return explained(line.text, index - line.from, position, vocabulary, hooks.programs(), hooks.lets(), file);
}

function box(title: string, lines: readonly string[]): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "cm-explanation";
  const head = document.createElement("code");
  head.textContent = title;
  dom.append(head, ...lines.map(paragraph));
  return dom;
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

/** Show these findings, and no others, at their places. */
export function showFindings(view: EditorView, findings: readonly Finding[]): void {
  const document = view.state.doc;
  view.dispatch(setDiagnostics(view.state, findings.map((finding) => marked(document, finding))));
}

/** Put the cursor at a finding, and the keyboard into the text. */
export function goTo(view: EditorView, line: number, column: number): void {
  const anchor = indexOf(view.state.doc, line, column);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  view.focus();
}

/** Replace the text by another one, as one step that can be undone; what is equal at both ends stays, with the cursor. */
export function replaceText(view: EditorView, text: string): void {
  const old = view.state.doc.toString();
  const most = Math.min(old.length, text.length);
  let before = 0;
  while (before < most && old[before] === text[before]) before += 1;
  let after = 0;
  while (after < most - before && old[old.length - 1 - after] === text[text.length - 1 - after]) after += 1;
  if (old === text) return;
  const insert = text.slice(before, text.length - after);
  view.dispatch({ changes: { from: before, to: old.length - after, insert }, userEvent: "input.replace" });
}

/** Insert a text, and leave the cursor behind it. */
export function insertAt(view: EditorView, at: number, text: string): void {
  view.dispatch({ changes: { from: at, insert: text }, selection: { anchor: at + text.length }, scrollIntoView: true });
  view.focus();
}
