// What the editor does not take: bytes that are no text, and files that no trigger file may be as large as.
import { EditorState, type Extension, type Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

/** As the language has it (MAX_SOURCE_BYTES of triggers/contracts/limits.py). */
export const MAX_BYTES = 1_000_000;
/** Characters that text never has: the controls but for tab and line ends, and what bytes that are no UTF-8 become. */
const BINARY = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/g;

/** Why a text is not taken; null if it is. */
export function refusal(added: string, lengthAfter: number): string | null {
  const binary = added.match(BINARY) ?? [];
  if (binary.length > 0) {
    const code = (binary[0]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const times = binary.length === 1 ? "a character" : `${binary.length} characters`;
    return `This is not text: it has ${times} such as U+${code}. Nothing was inserted. Trigger files are plain text in UTF-8.`;
  }
  if (lengthAfter > MAX_BYTES) {
    return "With this the file would be larger than 1 MB, the most that a trigger file may have. Nothing was inserted. Divide it.";
  }
  return null;
}

/** Lets no such text in, by whatever way it comes, and tells why. */
export function refusals(told: (why: string | null) => void): Extension {
  return [
    EditorState.transactionFilter.of((transaction) => {
      if (!transaction.docChanged) return transaction;
      const why = refusal(inserted(transaction), transaction.newDoc.length);
      queueMicrotask(() => told(why));
      return why === null ? transaction : [];
    }),
    EditorView.domEventHandlers({
      paste: (event) => onlyFiles(event.clipboardData, told),
      drop: (event) => onlyFiles(event.dataTransfer, told),
    }),
  ];
}

function inserted(transaction: Transaction): string {
  let text = "";
  transaction.changes.iterChanges((_from, _to, _fromB, _toB, added) => {
    text += added.toString();
  });
  return text;
}

/** A file or picture without any text: CodeMirror would say nothing about it. */
function onlyFiles(data: DataTransfer | null, told: (why: string | null) => void): boolean {
  if (!data || data.files.length === 0 || data.getData("text/plain") !== "") return false;
  const file = data.files[0];
  if (file && (file.type.startsWith("text/") || file.type === "")) return false; // read as text, and judged then
  told(`${file?.name || "This"} is not text (${file?.type || "a file"}). Nothing was inserted.`);
  return true;
}
