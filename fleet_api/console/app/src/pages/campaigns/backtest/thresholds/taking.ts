// Taking a moved number into the editor: the draft that has it at its place, and what of another draft that would lose.
import type { Draft } from "../../editor/drafts";
import { placeOf, replaced } from "./thresholds";
import type { Moved } from "../asked";

/** What the editor would begin with, without the moved number: a version's text, or the draft that was run. */
export type Begun = Pick<Draft, "source" | "catalog" | "basedOn">;

/** That text with the number at its place, as a draft of this moment; `ran` is the text that the number is a place of. */
export function taken(begun: Begun, ran: string, { constant, value }: Moved, now: number): Draft {
  const source = replaced(ran, constant, value).replaceAll("\r\n", "\n");
  return { source, catalog: begun.catalog, basedOn: begun.basedOn, at: now, tab: "" };
}

/** The draft that is kept, if the new one would lose something that was typed there; undefined if nothing is lost. */
export function lostBy(draft: Draft, kept: Draft | undefined, begun: Begun): Draft | undefined {
  if (!kept || isSame(kept, draft) || isSame(kept, begun)) return undefined;
  return kept;
}

function isSame(one: Pick<Draft, "source" | "catalog">, other: Pick<Draft, "source" | "catalog">): boolean {
  return one.source === other.source && JSON.stringify(one.catalog) === JSON.stringify(other.catalog);
}

/** Where the editor is to be opened: at the number, and for an older version with that one to go back to. */
export function editorQuery(moved: Moved, version: number | null, newest: number): { at: string; from: number | null } {
  return { at: placeOf(moved.constant), from: version !== null && version < newest ? version : null };
}
