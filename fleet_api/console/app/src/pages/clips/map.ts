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

/** West, south, east, north around all tracks; null without any. */
export function boundsOf(clips: readonly FoundClip[]): [number, number, number, number] | null {
  const all = clips.flatMap(({ track }) => track ?? []);
  if (all.length === 0) return null;
  const longitudes = all.map(([longitude]) => longitude);
  const latitudes = all.map(([, latitude]) => latitude);
  return [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)];
}

/** Steps of the graticule in degrees, by the width that the map shows. */
const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001] as const;

/** Meridians and parallels across a view, some four to ten of each, with what to write beside them. */
export function graticule(west: number, south: number, east: number, north: number): Features {
  const span = Math.max(east - west, 1e-6);
  const step = STEPS.find((each) => span / each >= 4) ?? 0.001;
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
  return STEPS.find((each) => span / each >= 4) ?? 0.001;
}

/** A map without a server: a ground, and a graticule that the page draws. */
export function plainStyle(ground: string): StyleSpecification {
  return { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": ground } }] };
}
