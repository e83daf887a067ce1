// When the frames of an OpenLABEL document are, in s after the start of its clip.
import { framesOf, PARTS, type Root } from "./openlabel";

export interface FrameTimes {
  /** When a frame is, also between and beyond those whose times are known. */
  at: (frame: number) => number;
  first: number;
  last: number;
  /** Whether the document says when its frames are; otherwise they are spread evenly over the clip. */
  isStated: boolean;
}
type Known = readonly [frame: number, t: number];
const MS_PER_S = 1000;

/** The times of a document's frames. Two frames with a time suffice: the others are as far apart as these on average. */
export function frameTimesOf(root: Root, startMs: number, durationS: number): FrameTimes {
  const frames = framesOf(root);
  const [first, last] = extent(root, frames.map(([number]) => number));
  const known = frames.flatMap(([number, { frame_properties }]): Known[] => {
    const t = secondsAfter(frame_properties?.timestamp, startMs);
    return t === null ? [] : [[number, t]];
  });
  const isStated = known.length >= 2;
  const spread: Known[] = [[first, 0], [Math.max(last, first + 1), durationS]];
  const line = isStated ? known : spread;
  return { at: (frame) => onLine(line, frame), first, last, isStated };
}

/** A timestamp, of which the standard says no unit: ISO 8601, s, ms, µs or ns since 1970, or s after the start. */
export function secondsAfter(timestamp: string | number | undefined, startMs: number): number | null {
  if (timestamp === undefined || timestamp === "") return null;
  const value = Number(timestamp);
  if (Number.isNaN(value)) {
    const at = Date.parse(String(timestamp));
    return Number.isNaN(at) ? null : (at - startMs) / MS_PER_S;
  }
  const perSecond = [1e9, 1e6, 1e3, 1].find((unit) => value / unit > 1e8); // later than 1973, in this unit
  return perSecond === undefined ? value : value / perSecond - startMs / MS_PER_S;
}

function extent(root: Root, frames: readonly number[]): [number, number] {
  const intervals = [
    ...(root.frame_intervals ?? []),
    ...PARTS.flatMap((part) => Object.values(root[part] ?? {}).flatMap((element) => element.frame_intervals ?? [])),
  ];
  let [first, last] = [Infinity, -Infinity];
  for (const number of [...frames, ...intervals.flatMap((each) => [each.frame_start, each.frame_end])]) {
    if (number === undefined) continue;
    first = Math.min(first, number);
    last = Math.max(last, number);
  }
  return first > last ? [0, 0] : [first, last];
}

/** The time of a frame on the line through those that are known. */
function onLine(known: readonly Known[], frame: number): number {
  const after = known.findIndex(([number]) => number >= frame);
  const right = Math.min(Math.max(after === -1 ? known.length - 1 : after, 1), known.length - 1);
  const [[a, from], [b, until]] = [known[right - 1] as Known, known[right] as Known];
  return from + ((until - from) * (frame - a)) / (b - a);
}
