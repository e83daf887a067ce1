// Limits in words: what a limit counts, which share of a day's clips limits refuse, and what may go over cellular networks.
import type { Schemas } from "../../../../../api/types";
import { bytes, counted, percent } from "../../../../../format/format";
import { intervalText } from "../expected";

type Day = Schemas["LimitedDayView"];
const TITLES: Record<string, string> = {
  vehicle_day_bytes: "bytes per vehicle and day",
  vehicle_day_clips: "clips per vehicle and day",
  total_bytes: "bytes in total",
  clips: "clips in total",
  upload_bytes: "bytes of one upload",
};
const BYTES_OF: Record<string, string> = { vehicle_day_bytes: "per vehicle and day", total_bytes: "in total", upload_bytes: "per upload" };

export function limitTitle(limit: string): string {
  return TITLES[limit] ?? limit;
}
export function countsClips(limit: string): boolean {
  return limit === "clips" || limit === "vehicle_day_clips";
}

/** `20.0 MB per vehicle and day`, `20 clips in total`. */
function limitText(limit: string, amount: number): string {
  if (countsClips(limit)) return `${counted(amount, "clip")} ${limit === "clips" ? "in total" : "per vehicle and day"}`;
  return `${bytes(amount)} ${BYTES_OF[limit] ?? limit}`;
}

/** The share of a day's clips that is refused; a dash where there is none, of which `reasonsText` says why. */
export function refusedText({ refused }: Pick<Day, "refused">): string {
  return intervalText(refused && { ...refused, high: refused.high ?? 1 }, (value) => percent(value, 1));
}

/** Which limits refuse them, and which share each; where there is no share, why. */
export function reasonsText({ campaign, refused, refused_by: limits, unknown }: Pick<Day, "campaign" | "refused" | "refused_by" | "unknown">): string {
  if (refused === null) return unknown ? `not known: ${unknown}` : "nothing fired";
  return limits.map(({ limit, amount, trigger, share }) => `${trigger === null ? "" : `${campaign}.${trigger}: `}${limitText(limit, amount)} ${percent(share, 1)}`).join(", ");
}

/** None, all of what is uploaded, or at most so much: where Wi-Fi is allowed as well, nobody knows how much waits for it. */
export function cellularText({ networks, cellular_bytes_per_fleet_day: most }: Pick<Day, "networks" | "cellular_bytes_per_fleet_day">): string {
  if (!networks.includes("cellular")) return "none";
  const text = intervalText(most, (value) => bytes(Math.round(value)));
  return networks.length > 1 ? `at most ${text}` : text;
}
