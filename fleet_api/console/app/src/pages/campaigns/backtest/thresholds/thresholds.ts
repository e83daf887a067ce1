// A threshold of a trigger text: how it is named in the address and told to people, and the text with another number there.
import { api } from "../../../../api/client";
import type { Schemas } from "../../../../api/types";
import { number } from "../../../../format/format";
import { checks } from "../../editor/checking.svelte";

export type Constant = Schemas["ConstantView"];
/** A signal catalog of a request: its text, or the name of a published one. */
export type Catalog = { signals: string } | { catalog: string };

/** The numbers of a text that may be moved; none for one that does not compile. */
export async function constantsOf(text: { source: string; catalog: Catalog }, signal: AbortSignal): Promise<Constant[]> {
  const body = { source: text.source, filename: "campaign.trigger", formatted: false, explained: false, constants: true, ...text.catalog };
  return (await checks.take(signal, () => api.post("/v1/authoring/check", { body }))).constants ?? [];
}

/** The signals that the text's catalog declares. */
export async function signalsOf({ catalog }: { catalog: Catalog }, signal: AbortSignal): Promise<string[]> {
  const found = await checks.take(signal, () => api.post("/v1/authoring/vocabulary", { body: catalog }));
  return found.signals.map(({ name }) => name);
}

/** How an address names a number of the text: by where it stands, `6:38`. */
export function placeOf(constant: Constant): string {
  return `${constant.line}:${constant.column}`;
}

/** What it is, in a line: `hard_braking, line 6: ego.accel < -3 m/s^2`. */
export function titleOf(constant: Constant): string {
  const { kind, block, line, subject, operator, text } = constant;
  const condition = kind === "duration" ? `${subject} for ${text}` : `${subject} ${operator} ${text}`;
  return `${block}, line ${line}: ${condition.replaceAll(/\s+/g, " ")}`;
}

/** A value with the constant's unit, as it stands in the text. */
export function written(constant: Constant, value: number): string {
  return constant.unit === "" ? plain(value) : `${plain(value)} ${constant.unit}`;
}

/** The same for people: `-2.5 m/s^2`. */
export function valueText(constant: Constant, value: number): string {
  return constant.unit === "" ? number(value, 6) : `${number(value, 6)} ${constant.unit}`;
}

/** The text with another value at a constant's place. Lines and columns count characters, not UTF-16 units. */
export function replaced(source: string, constant: Constant, value: number): string {
  const from = indexOf(source, constant.line, constant.column);
  const until = indexOf(source, constant.end_line, constant.end_column);
  return source.slice(0, from) + written(constant, value) + source.slice(until);
}

/** The value of an address, if it is a number that differs from the text's. */
export function movedTo(constant: Constant | undefined, text: string | null): number | null {
  if (!constant || text === null || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) && value !== constant.value ? value : null;
}

function plain(value: number): string {
  return String(Number(value.toPrecision(12))).replace("e+", "e");
}

function indexOf(source: string, line: number, column: number): number {
  let begin = 0;
  for (let count = 1; count < line; count += 1) begin = source.indexOf("\n", begin) + 1;
  let index = begin;
  for (let count = 1; count < column; count += 1) index += (source.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return index;
}
