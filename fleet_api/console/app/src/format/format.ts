// How numbers, bytes, money, times and durations are written, everywhere in the console.
const DASH = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
/** From here on a number with one decimal is shown as 1000.0. */
const ROUNDED_TO_1000 = 999.95;

type Maybe<T> = T | null | undefined;

/** A count: `12,345`. */
export function count(value: Maybe<number>): string {
  return value === null || value === undefined ? DASH : whole.format(value);
}

/** A number: `digits` significant digits of a small one, all of a large one, as the command line has it: `0.0123`, `12,346`. */
export function number(value: Maybe<number>, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  if (Math.abs(value) >= 10 ** digits) return whole.format(value);
  return new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);
}

/** An estimate and its interval: `12.3 (9.08 to 16.4)`; an interval without an upper end says so. */
export function interval(mean: Maybe<number>, low: Maybe<number>, high: Maybe<number>): string {
  if (mean === null || mean === undefined) return DASH;
  const end = high === null || high === undefined ? "no limit" : number(high);
  return `${number(mean)} (${number(low)} to ${end})`;
}

/** Bytes in SI units, as budgets have them: `1.5 GB`. */
export function bytes(value: Maybe<number>): string {
  if (value === null || value === undefined) return DASH;
  if (Math.round(Math.abs(value)) < 1000) return `${value.toFixed(0)} ${BYTE_UNITS[0]}`;
  let amount = value / 1000;
  let unit = 1;
  while (Math.abs(amount) >= ROUNDED_TO_1000 && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** An amount of a budget, which counts bytes or clips. */
export function amount(unit: string, value: Maybe<number>): string {
  return unit === "bytes" ? bytes(value) : count(value);
}

/** How much of it comes per day: of clips that may be less than one. */
export function amountPerDay(unit: string, value: Maybe<number>): string {
  return unit === "bytes" ? bytes(value) : number(value);
}

/** A share as percent: `12.5 %`. What is little is told from nothing, and nearly all from all: `<0.1 %`, `>99.9 %`. */
export function percent(value: Maybe<number>, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const [shown, step] = [(value * 100).toFixed(digits), 10 ** -digits];
  if (value > 0 && Number(shown) === 0) return `<${step.toFixed(digits)} %`;
  if (value < 1 && Number(shown) === 100) return `>${(100 - step).toFixed(digits)} %`;
  return `${shown.replace(/\.0+$/, "")} %`;
}

/** How much of a limit is used; without a limit, or of a limit of 0, there is no share. */
export function share(used: number, limit: Maybe<number>): number | null {
  return limit ? used / limit : null;
}

/** Money as the API has it, a decimal text, with its currency: `12.35 EUR`. More digits where it is less than 1. */
export function money(amount: Maybe<string | number>, currency: string): string {
  if (amount === null || amount === undefined || amount === "") return DASH;
  const value = Number(amount);
  const digits = value !== 0 && Math.abs(value) < 1 ? { maximumSignificantDigits: 2 } : twoDecimals;
  return `${new Intl.NumberFormat("en", digits).format(value)} ${currency}`;
}
const twoDecimals = { minimumFractionDigits: 2, maximumFractionDigits: 2 };

/** A time (ISO 8601, ns since the epoch, or a Date) in UTC, to the second: `2026-01-31 08:05:09`. */
export function time(value: Maybe<string | number | Date>): string {
  const at = dateOf(value);
  return at === null ? DASH : at.toISOString().slice(0, 19).replace("T", " ");
}

/** A day in UTC: `2026-01-31`. */
export function day(value: Maybe<string | number | Date>): string {
  const at = dateOf(value);
  return at === null ? DASH : at.toISOString().slice(0, 10);
}

/** How long ago: `5 min ago`; `in 2 h` for what is to come. Whole seconds are enough for that. */
export function ago(value: Maybe<string | number | Date>, now = Date.now()): string {
  const at = dateOf(value);
  if (at === null) return DASH;
  const seconds = Math.round((now - at.getTime()) / 1000);
  return seconds >= 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** A duration in seconds, in its largest two units: `1 h 5 min`, `12.5 s`, `3 d 4 h`. */
export function duration(seconds: Maybe<number>): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return DASH;
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(2)) : Number(seconds.toFixed(1))} s`;
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor((seconds % 86400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "min"],
    [Math.floor(seconds % 60), "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

/** Nanoseconds (of the API's `_ns`) as seconds. */
export function seconds(ns: number): number {
  return ns / 1e9;
}

/** One thing or several: `1 clip`, `2 clips`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The first characters of a digest. */
export function digest(value: Maybe<string>): string {
  return value ? value.slice(0, 12) : DASH;
}

function dateOf(value: Maybe<string | number | Date>): Date | null {
  if (value === null || value === undefined || value === "") return null;
  const at = value instanceof Date ? value : new Date(typeof value === "number" ? value / 1e6 : value);
  return Number.isNaN(at.getTime()) ? null : at;
}
