// What the figures of a backtest do not say by themselves: what was left out, unknown, not counted, or does not fit.
import type { Schemas } from "../../../../api/types";
import { count, counted, percent } from "../../../../format/format";
import { reasonsText, refusedText } from "./volume/limits";

export interface Remark {
  /** What it is about, in a word. */
  kind: string;
  text: string;
  remedy: string;
}
/** A trigger whose condition was known for less than this share of the time is remarked on. */
const MOSTLY_KNOWN = 0.95;
/** If more than this share of the fires of a trigger is in one drive, that is said. */
const CONCENTRATED = 0.5;
/** A smaller share of refused clips is in the table alone. */
const WORTH_A_REMARK = 0.005;
type Result = Schemas["ProgramResultView"];
type Report = Schemas["ReportView"];

/** All remarks on what a program did; `title` names it where there are two. */
export function remarksOf({ report, warnings }: Result, title: string): Remark[] {
  const remarks = [
    ...report.failed_drives.map(({ drive, problem, remedy }) => ({ kind: "drive", text: `${drive} was left out: ${problem}`, remedy })),
    ...warnings.map((each) => ({ kind: "text", text: `line ${each.line}, column ${each.column}: ${each.message}`, remedy: each.proposal })),
    ...leftOut(report),
    ...whyNot(report),
    ...unknown(report),
    ...concentrated(report),
    ...findings(report),
    ...uncounted(report),
    ...overflows(report),
    ...refusals(report),
  ];
  return title === "" ? remarks : remarks.map((remark) => ({ ...remark, text: `${title}: ${remark.text}` }));
}

function leftOut(report: Report): Remark[] {
  return report.left_out.map(({ trigger, drives, reason }) => ({
    kind: "trigger",
    text: `${trigger} did not run on ${drives} of ${counted(report.drives, "drive")}: ${reason}`,
    remedy: "",
  }));
}

function unknown(report: Report): Remark[] {
  return Object.entries(report.triggers).flatMap(([name, { hours, known_hours, unknown: shares }]) => {
    if (hours === 0 || known_hours >= MOSTLY_KNOWN * hours) return [];
    const signals = Object.entries(shares).slice(0, 5).map(([signal, share]) => `${signal} ${percent(share, 0)}`).join(", ");
    const whose = signals === "" ? "" : ` (${signals})`;
    const text = `${name}: for ${percent(1 - known_hours / hours, 0)} of the time its condition was not known${whose}`;
    return [{ kind: "signal", text, remedy: "it could not fire then; ask for this with `missing(...)`" }];
  });
}

function whyNot(report: Report): Remark[] {
  return Object.entries(report.triggers).flatMap(([name, { why_not: sentence }]) =>
    sentence ? [{ kind: "trigger", text: `${name} never fired: ${sentence}`, remedy: "" }] : [],
  );
}

function concentrated(report: Report): Remark[] {
  return Object.entries(report.triggers).flatMap(([name, { drives, largest_drive, largest_share }]) => {
    if (drives < 2 || largest_share === null || largest_share <= CONCENTRATED) return [];
    const text = `${name}: ${percent(largest_share, 0)} of the fires are in one of ${counted(drives, "drive")}, ${largest_drive}`;
    return [{ kind: "drive", text, remedy: "more drives tell more than any interval" }];
  });
}

function findings(report: Report): Remark[] {
  return report.findings.map(({ column, drives, count: times, problem, first_drive, row, value }) => ({
    kind: "column",
    text: `column ${column} in ${counted(drives, "drive")}: ${count(times)} times ${problem}, first in ${first_drive}, row ${row}${value ? ` (${value})` : ""}`,
    remedy: "",
  }));
}

function uncounted(report: Report): Remark[] {
  return report.uncounted.map(({ name, drives }) => ({
    kind: "size",
    text: `sizes of clips lack ${name}, of which ${drives} of ${counted(report.drives, "drive")} have nothing`,
    remedy: name.startsWith("camera ") ? "put the video beside the drive, or declare its bit_rate in the signal catalog" : "",
  }));
}

function overflows({ overflows: samples }: Report): Remark[] {
  if (samples === 0) return [];
  const text = `${counted(samples, "sample")} came faster than the signal catalog declares, and windows lost them`;
  return [{ kind: "rate", text, remedy: "correct the rate of these signals in the catalog" }];
}

function refusals({ limited_days: days }: Report): Remark[] {
  return (days ?? []).flatMap((day) => {
    if (day.unknown) {
      return [{ kind: "limit", text: `it is not known what limits refuse of a day's clips of campaign ${day.campaign}: ${day.unknown}`, remedy: "" }];
    }
    if (!day.refused || day.refused.mean < WORTH_A_REMARK) return [];
    const text = `limits refuse ${refusedText(day)} of a day's clips of campaign ${day.campaign}: ${reasonsText(day)}`;
    return [{ kind: "limit", text, remedy: "raise the limits, sample the triggers, or narrow them" }];
  });
}
