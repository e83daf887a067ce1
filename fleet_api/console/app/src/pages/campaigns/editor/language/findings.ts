// Findings of the API as places in the editor's text: lines and characters there, UTF-16 indexes here.
import type { Diagnostic } from "@codemirror/lint";
import type { Text } from "@codemirror/state";
import type { Schemas } from "../../../../api/types";

export type Finding = Schemas["DiagnosticView"];

/** The index of a place that is counted from 1, in lines and characters; the nearest one for a place that is none. */
export function indexOf(document: Text, line: number, column: number): number {
  const found = document.line(Math.min(Math.max(line, 1), document.lines));
  let index = 0;
  for (let character = 1; character < column && index < found.text.length; character += 1) {
    index += (found.text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return found.from + index;
}

/** The place of an index: the line and the character in it, both from 1. */
export function positionOf(document: Text, index: number): { line: number; column: number } {
  const line = document.lineAt(index);
  return { line: line.number, column: [...line.text.slice(0, index - line.from)].length + 1 };
}

/** A finding as CodeMirror marks it: at least one character, with its help below the message. */
export function marked(document: Text, finding: Finding): Diagnostic {
  const from = indexOf(document, finding.line, finding.column);
  const to = indexOf(document, finding.end_line, finding.end_column);
  return {
    from,
    to: Math.max(to, Math.min(from + 1, document.length)),
    severity: finding.severity,
    message: finding.message,
    renderMessage: () => rendered(finding),
  };
}

function rendered(finding: Finding): HTMLElement {
  const shown = document.createElement("div");
  shown.append(paragraph(`${finding.message} [${finding.code}]`));
  if (finding.proposal !== "") shown.append(paragraph(`Help: ${finding.proposal}`));
  return shown;
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("div");
  made.textContent = text;
  return made;
}
