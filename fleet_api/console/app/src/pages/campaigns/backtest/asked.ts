// What the address asks for: over which drives or clips, for which fleet, and which programs are run beside each other.
import type { Schemas } from "../../../api/types";
import { NEW_CAMPAIGN } from "../states";
import { replaced, valueText, type Catalog, type Constant } from "./thresholds/thresholds";

export type BacktestRequest = Schemas["BacktestRequest"];
type Program = BacktestRequest["programs"][number];
export type Drive = Schemas["DriveView"];

export const MOST_DRIVES = 200;
export const MOST_CLIPS = 1000;
export const CLIPS = 100;

/** A trigger text that can be run: a campaign's version, or a draft that is not applied yet. */
export interface Text {
  campaign: string;
  /** The version; null for a draft. */
  version: number | null;
  source: string;
  /** Its signal catalog: a text, or the name of a published one. */
  catalog: Catalog;
}
/** A number of the text that is tried with another value. */
export interface Moved {
  constant: Constant;
  value: number;
}

/**
 * The programs to run: the text alone; beside another version, which is the first; or as it is beside a moved number.
 * A sweep is over a param of the text as it is.
 */
export function programsOf(text: Text, against: number | null, moved: Moved | null, sweep: string | null = null): Program[] {
  const further = sweep === null ? {} : { sweep };
  if (moved) return [{ ...fileOf(text), ...further }, { ...fileOf(text, moved), source: replaced(text.source, moved.constant, moved.value) }];
  const mine = text.version === null ? fileOf(text) : { campaign: text.campaign, version: text.version };
  const swept = { ...mine, ...further } as Program;
  return against === null ? [swept] : [{ campaign: text.campaign, version: against } as Program, swept];
}

/** The text as a file, whose name says in results what it is. */
function fileOf(text: Text, moved?: Moved): Program {
  const name = nameOf(text);
  const filename = moved ? `${name} with ${valueText(moved.constant, moved.value)}` : name;
  return { source: text.source, filename, ...text.catalog } as Program;
}

export function nameOf({ campaign, version }: Pick<Text, "campaign" | "version">): string {
  return version === null ? `the draft of ${campaign === NEW_CAMPAIGN ? "a new campaign" : campaign}` : `version ${version}`;
}

/** What a program of a backtest is called beside another. */
export function titleOf(program: Schemas["ProgramNameView"]): string {
  return program.version === null ? (program.filename ?? "the text") : `version ${program.version}`;
}

/** Drives that can be run: those whose file can be read. */
export function usable(drives: readonly Drive[]): Drive[] {
  return drives.filter((drive) => drive.problem === null);
}

/** The drives that the address names; where it names none, all that can be run, as far as one backtest takes them. */
export function chosenDrives(written: string | null, drives: readonly Drive[]): string[] {
  const names = usable(drives).map((drive) => drive.name);
  const wanted = written === null ? names : namesOf(written).filter((name) => names.includes(name));
  return wanted.slice(0, MOST_DRIVES);
}

/** Names in an address, with commas between them; a comma of a name is escaped. */
export function namesText(names: readonly string[]): string {
  return names.map((name) => name.replaceAll(/[%,]/g, encodeURIComponent)).join(",") || ",";
}
export function namesOf(written: string): string[] {
  return written.split(",").filter((name) => name !== "").map((name) => name.replaceAll("%2C", ",").replaceAll("%25", "%"));
}

/** A whole number of the address within bounds, else what it is by default. */
export function wholeOf(written: string | null, normal: number, most: number): number {
  const value = Number(written ?? "");
  return Number.isInteger(value) && value >= 1 && value <= most ? value : normal;
}

/** The fleet of the forecast. */
export function fleetOf(query: URLSearchParams): Required<Schemas["FleetRequest"]> {
  const hours = Number(query.get("hours") ?? "");
  return {
    vehicles: wholeOf(query.get("vehicles"), 1000, 1e9),
    hours_per_day: hours > 0 && hours <= 24 ? hours : 1,
    sample: query.get("sample") === null ? null : wholeOf(query.get("sample"), 1, 1e9),
  };
}

/** Whether a backtest ran over what is chosen now. */
export function isSameOver(ran: Schemas["Over"], now: Schemas["Over"]): boolean {
  const written = ({ drives, clips }: Schemas["Over"]) => JSON.stringify([drives ? [...drives].sort() : null, clips?.filter ?? null, clips?.limit ?? null]);
  return written(ran) === written(now);
}
