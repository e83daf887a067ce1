// The labels of a document on the time axis of its clip: rows of spans, and the boxes in a camera's pictures at an instant.
import type { Schemas } from "../../../../api/types";
import { framesOf, PARTS, pictureSizeOf, rootOf, type Datum, type LabelDocument, type ObjectData, type Part, type Root } from "./openlabel";
import { frameTimesOf, type FrameTimes } from "./times";

export type Span = readonly [from: number, until: number];
export interface Label {
  /** What identifies it within its document, such as `actions/3`. */
  id: string;
  part: Part;
  type: string;
  name: string;
  /** When, in s after the clip's start; all of the clip where the document does not say it. */
  spans: Span[];
  /** Whether the document says when. */
  isTimed: boolean;
}
export interface Box {
  id: string;
  title: string;
  /** Its middle and size in pixels, and by how much it is turned, in degrees. */
  x: number;
  y: number;
  width: number;
  height: number;
  degrees: number;
}
interface BoxesOfFrame {
  from: number;
  until: number;
  boxes: Box[];
}
export interface Picture {
  width: number;
  height: number;
  frames: BoxesOfFrame[];
  /** Boxes of no frame, with the spans in which their objects are there. */
  still: { box: Box; spans: Span[] }[];
}
export interface ClipLabels {
  labels: Label[];
  isTimeStated: boolean;
  /** By camera, where the size of its pictures is known. */
  pictures: Map<string, Picture>;
  /** How many boxes belong to no camera of the clip, or to one whose pictures have a size that nobody says. */
  unplaced: number;
}
export interface ClipSpan {
  startMs: number;
  durationS: number;
}
/** What a frame says holds until the next one that says something, but no longer. */
const HOLDS_S = 0.5;

/** Everything that is drawn of a document. */
export function labelsOf(document: LabelDocument, cameras: readonly Schemas["CameraView"][], clip: ClipSpan): ClipLabels {
  const root = rootOf(document);
  const times = frameTimesOf(root, clip.startMs, clip.durationS);
  const labels = PARTS.flatMap((part) => labelsOfPart(root, part, times, clip.durationS));
  return { labels, isTimeStated: times.isStated, ...boxesOf(root, cameras, times, labels) };
}

function labelsOfPart(root: Root, part: Part, times: FrameTimes, durationS: number): Label[] {
  const named = namedIn(root, part);
  return Object.entries(root[part] ?? {}).map(([uid, element]) => {
    const intervals = element.frame_intervals?.length ? element.frame_intervals : runs(named.get(uid) ?? []);
    const spans = intervals.map(({ frame_start = times.first, frame_end = times.last }): Span => {
      const from = times.at(frame_start);
      return clipped(from, frame_end > frame_start ? times.at(frame_end) : times.at(frame_start + 1), durationS);
    });
    return {
      id: `${part}/${uid}`,
      part,
      type: element.type ?? "",
      name: element.name ?? uid,
      spans: spans.length > 0 ? spans : [[0, durationS]],
      isTimed: spans.length > 0,
    };
  });
}

/** The frames in which elements of a part occur, for those that have no intervals of their own. */
function namedIn(root: Root, part: Part): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [number, frame] of framesOf(root)) {
    for (const uid of Object.keys(frame[part] ?? {})) {
      const numbers = found.get(uid);
      if (numbers) numbers.push(number);
      else found.set(uid, [number]);
    }
  }
  return found;
}

function runs(frames: readonly number[]): { frame_start: number; frame_end: number }[] {
  const found: { frame_start: number; frame_end: number }[] = [];
  for (const frame of frames) {
    const last = found.at(-1);
    if (last && frame === last.frame_end + 1) last.frame_end = frame;
    else found.push({ frame_start: frame, frame_end: frame });
  }
  return found;
}

function clipped(from: number, until: number, durationS: number): Span {
  const within = (t: number) => Math.min(durationS, Math.max(0, t));
  return [within(from), within(until)];
}

function boxesOf(
  root: Root,
  cameras: readonly Schemas["CameraView"][],
  times: FrameTimes,
  labels: readonly Label[],
): Pick<ClipLabels, "pictures" | "unplaced"> {
  const pictures = new Map<string, Picture>();
  for (const { name, width, height } of cameras) {
    const size = width && height ? { width, height } : pictureSizeOf(root, name);
    if (size) pictures.set(name, { ...size, frames: [], still: [] });
  }
  let unplaced = 0;
  const place = (uid: string, data: ObjectData | undefined, put: (picture: Picture, box: Box) => void) => {
    const element = root.objects?.[uid];
    for (const { datum, box } of boxesIn(data, `objects/${uid}`, `${element?.type ?? ""} ${element?.name ?? uid}`.trim())) {
      const picture = pictures.get(cameraOf(datum.coordinate_system ?? element?.coordinate_system, cameras));
      if (picture) put(picture, box);
      else unplaced += 1;
    }
  };
  for (const [uid, { object_data }] of Object.entries(root.objects ?? {})) {
    const spans = labels.find((label) => label.id === `objects/${uid}`)?.spans ?? [];
    place(uid, object_data, (picture, box) => picture.still.push({ box, spans }));
  }
  const frames = framesOf(root);
  for (const [index, [number, frame]] of frames.entries()) {
    const from = times.at(number);
    const next = frames[index + 1];
    const until = Math.min(next ? times.at(next[0]) : Infinity, Math.max(times.at(number + 1), from + HOLDS_S));
    for (const [uid, { object_data }] of Object.entries(frame.objects ?? {})) {
      place(uid, object_data, (picture, box) => framesAt(picture, from, until).boxes.push(box));
    }
  }
  return { pictures, unplaced };
}

function framesAt(picture: Picture, from: number, until: number): BoxesOfFrame {
  const last = picture.frames.at(-1);
  if (last?.from === from) return last;
  const made: BoxesOfFrame = { from, until, boxes: [] };
  picture.frames.push(made);
  return made;
}

/** The camera of a coordinate system: the one of its name, or the only one. '' if that is not known. */
function cameraOf(system: string | undefined, cameras: readonly Schemas["CameraView"][]): string {
  const named = cameras.find((camera) => camera.name === system);
  return named?.name ?? (cameras.length === 1 ? (cameras[0]?.name ?? "") : "");
}

/** `bbox` is [x, y, w, h] about its middle, `rbbox` the same and its rotation in radians (ASAM OpenLABEL 1.0.0). */
function boxesIn(data: ObjectData | undefined, id: string, title: string): { datum: Datum; box: Box }[] {
  const all = [...(data?.bbox ?? []), ...(data?.rbbox ?? [])];
  return all.flatMap((datum) => {
    const numbers = Array.isArray(datum.val) ? datum.val.map(Number) : [];
    const [x, y, width, height, radians = 0] = numbers;
    if (x === undefined || y === undefined || !width || !height || numbers.some((each) => !Number.isFinite(each))) return [];
    return [{ datum, box: { id, title, x, y, width, height, degrees: (radians * 180) / Math.PI } }];
  });
}

/** The boxes in a camera's pictures at an instant. */
export function boxesAt(picture: Picture, t: number): Box[] {
  const frame = picture.frames.findLast((each) => each.from <= t);
  const still = picture.still.filter(({ spans }) => spans.some(([from, until]) => from <= t && t <= until));
  return [...still.map(({ box }) => box), ...(frame && t < frame.until ? frame.boxes : [])];
}

export interface Row {
  title: string;
  part: Part;
  labels: Label[];
}

/** A row for each type of each kind, in the order of the document. */
export function rowsOf(labels: readonly Label[]): Row[] {
  const rows = new Map<string, Row>();
  for (const label of labels) {
    const key = `${label.part} ${label.type}`;
    const row = rows.get(key) ?? { title: label.type || label.part, part: label.part, labels: [] };
    row.labels.push(label);
    rows.set(key, row);
  }
  return [...rows.values()];
}
