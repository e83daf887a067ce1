// What the map draws beside a map server's own layers: tracks, and a plain base map where there is no server.
import type { GeoJSONSourceSpecification, StyleSpecification } from "maplibre-gl";
import type { FoundClip } from "./found";

type Features = Exclude<GeoJSONSourceSpecification["data"], string>;

/** Tracks as lines, and where each begins as a point, with the clip's id. */
export function tracksOf(clips: readonly FoundClip[], chosen: string | null): Features {
  const features = clips.flatMap(({ clip, track }) => {
    const first = track?.[0];
    if (!track || !first) return [];
    const properties = { id: clip.id, chosen: clip.id === chosen };
    const point = { type: "Feature" as const, properties, geometry: { type: "Point" as const, coordinates: first } };
    if (track.length < 2) return [point];
    const coordinates = unwrapped(track);
    return [point, { type: "Feature" as const, properties, geometry: { type: "LineString" as const, coordinates } }];
  });
  return { type: "FeatureCollection", features };
}

/** A line that takes the shorter way around the earth: longitudes may leave [-180, 180] for it. */
function unwrapped(track: readonly [number, number][]): [number, number][] {
  let turn = 0;
  let before = track[0]?.[0] ?? 0;
  return track.map(([longitude, latitude]) => {
    if (longitude - before > 180) turn -= 360;
    else if (longitude - before < -180) turn += 360;
    before = longitude;
    return [longitude + turn, latitude];
  });
}

/** West, south, east, north around all tracks, the shorter way around the earth: east may be beyond 180. Null without any. */
export function boundsOf(clips: readonly FoundClip[]): [number, number, number, number] | null {
  const all = clips.flatMap(({ track }) => track ?? []);
  if (all.length === 0) return null;
  const latitudes = all.map(([, latitude]) => latitude);
  const [west, east] = shortestArc(all.map(([longitude]) => longitude));
  return [west, least(latitudes), east, -least(latitudes.map((latitude) => -latitude))];
}

/** The shortest part of the circle that has all these longitudes: all of it but the widest gap between two of them. */
function shortestArc(longitudes: readonly number[]): [number, number] {
  const sorted = [...longitudes].sort((a, b) => a - b);
  const first = sorted[0] ?? 0;
  let arc: [number, number] = [first, sorted.at(-1) ?? 0];
  for (const [index, west] of sorted.entries()) {
    const east = (sorted[index - 1] ?? first) + 360;
    if (index > 0 && east - west < arc[1] - arc[0]) arc = [west, east];
  }
  return arc;
}

/** The least of some numbers, however many: a call takes only so many arguments. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.min(one, other), Infinity);
}

/** Steps of the graticule in degrees, by the width that the map shows. */
const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001] as const;

/** The fewest lines of a graticule along the longer side of a view. */
const FEWEST_LINES = 8;

/** Meridians and parallels across a view, some eight to twenty along its longer side. */
export function graticule(west: number, south: number, east: number, north: number): Features {
  const step = graticuleStep(west, east);
  const line = (from: [number, number], to: [number, number]) => ({
    type: "Feature" as const,
    properties: {},
    geometry: { type: "LineString" as const, coordinates: [from, to] },
  });
  const features = [];
  const low = Math.max(-85, south);
  const high = Math.min(85, north);
  for (let x = Math.floor(west / step) * step; x <= east; x += step) features.push(line([x, low], [x, high]));
  for (let y = Math.ceil(low / step) * step; y <= high; y += step) features.push(line([west, y], [east, y]));
  return { type: "FeatureCollection", features };
}

/** The step of the graticule for a view, in degrees, to be told in words. */
export function graticuleStep(west: number, east: number): number {
  const span = Math.max(east - west, 1e-6);
  return STEPS.find((each) => span / each >= FEWEST_LINES) ?? 0.001;
}

/** A map without a server: a ground, and a graticule that the page draws. */
export function plainStyle(ground: string): StyleSpecification {
  return { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": ground } }] };
}
