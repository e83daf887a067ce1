// What a timeline draws: lanes of marks on one axis of time, the part of it that is shown, and the mark that is meant.

export interface Mark {
  /** What identifies it within its lane. */
  id: string;
  /** In s after the lane's start. */
  t: number;
  /** Which of the timeline's kinds it is, by its place. */
  kind: number;
  /** Which of the compared sides it is of, by its place; 0 where nothing is compared. */
  side: number;
  /** Whether no mark of the other side is beside it. */
  isAlone: boolean;
}
export interface Lane {
  id: string;
  title: string;
  durationS: number;
  /** In the order of time. */
  marks: readonly Mark[];
}
/** The part of the axis that is shown, from and until, in s. */
export type View = readonly [from: number, until: number];

/** The least that is shown at once. */
export const LEAST_S = 0.5;

/** The whole axis: until the end of the longest lane, or of the last mark beyond it. */
export function whole(lanes: readonly Lane[]): View {
  const ends = lanes.map((lane) => Math.max(lane.durationS, lane.marks.at(-1)?.t ?? 0));
  return [0, ends.reduce((longest, end) => Math.max(longest, end), LEAST_S)];
}

/** A part of the axis that has the wanted length and place as far as the axis goes. */
export function within([from, until]: View, [first, last]: View): View {
  const length = Math.min(Math.max(until - from, LEAST_S), last - first);
  const begin = Math.min(Math.max((from + until - length) / 2, first), last - length);
  return [begin, begin + length];
}

/** The part that is `factor` times as long, in which `around` keeps its place. */
export function zoomed([from, until]: View, factor: number, around: number, all: View): View {
  return within([around - (around - from) * factor, around + (until - around) * factor], all);
}

/** The part of the same length, further on by a share of it. */
export function panned([from, until]: View, share: number, all: View): View {
  const by = (until - from) * share;
  const wanted: View = [from + by, until + by];
  const [first, last] = all;
  if (wanted[0] < first) return within([first, first + until - from], all);
  if (wanted[1] > last) return within([last - until + from, last], all);
  return within(wanted, all);
}

/** A part of the same length that shows an instant; the same part if it does already. */
export function showing(view: View, t: number, all: View): View {
  const [from, until] = view;
  return t >= from && t <= until ? view : within([t - (until - from) / 2, t + (until - from) / 2], all);
}

/** Where an instant is drawn, in pixels of a width. */
export function placeOf(t: number, [from, until]: View, width: number): number {
  return ((t - from) / (until - from)) * width;
}

/** The instant at a place, in s. */
export function instantAt(x: number, [from, until]: View, width: number): number {
  return from + (x / Math.max(width, 1)) * (until - from);
}

/** The mark that is drawn nearest to an instant and at most `reachS` away; undefined if there is none. */
export function nearest(marks: readonly Mark[], t: number, reachS: number): Mark | undefined {
  let found: Mark | undefined;
  for (const mark of marks) {
    const isNearer = !found || Math.abs(mark.t - t) < Math.abs(found.t - t);
    if (Math.abs(mark.t - t) <= reachS && isNearer) found = mark;
  }
  return found;
}

/** The strokes of marks as the path of an SVG: one for each pixel that has marks, however many these are. */
export function strokes(times: readonly number[], view: View, width: number, top: number, height: number): string {
  const places = new Set<number>();
  for (const t of times) {
    if (t >= view[0] && t <= view[1]) places.add(Math.round(placeOf(t, view, width)));
  }
  return [...places].map((x) => `M${x} ${top}v${height}`).join("");
}

const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/** The instants of an axis's ticks, at least `spacePx` apart. */
export function ticks(view: View, width: number, spacePx = 80): number[] {
  const [from, until] = view;
  const least = ((until - from) * spacePx) / Math.max(width, spacePx);
  const step = STEPS_S.find((each) => each >= least) ?? Math.ceil(least / 86_400) * 86_400;
  const found: number[] = [];
  for (let count = Math.max(0, Math.ceil(from / step - 1e-9)); count * step <= until + 1e-9; count += 1) found.push(count * step);
  return found;
}

/** An instant of an axis: `1:05`, `2:00:05`, and with decimals where a part this short is shown. */
export function clock(t: number, view: View): string {
  const digits = view[1] - view[0] < 5 ? 2 : view[1] - view[0] < 20 ? 1 : 0;
  const rounded = Number(Math.max(t, 0).toFixed(digits));
  const [hours, minutes] = [Math.floor(rounded / 3600), Math.floor((rounded % 3600) / 60)];
  const seconds = (rounded % 60).toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A part of the axis as an address has it, such as `12.5-60`; null for what is none. */
export function viewOf(text: string | null): View | null {
  const found = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? "");
  const [from, until] = [Number(found?.[1]), Number(found?.[2])];
  return found && until - from >= LEAST_S ? [from, until] : null;
}

export function viewText(view: View | null): string | null {
  return view && `${Number(view[0].toFixed(2))}-${Number(view[1].toFixed(2))}`;
}
