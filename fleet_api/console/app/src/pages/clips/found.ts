// What a search gives: clips, their pictures and tracks, how many there are, and how they are spread.
import { api, type Answer } from "../../api/client";
import { searches } from "../../api/turns";
import type { Schemas } from "../../api/types";
import { named } from "../../components/search/named";

export type Clip = Schemas["ClipView"];
export type Facets = Schemas["FacetsView"];
export interface FoundClip {
  clip: Clip;
  /** The link to its picture; null if it has none, or none yet. */
  thumbnail: string | null;
  /** [longitude, latitude] in degrees: a line, or one point; null without a position. */
  track: readonly [number, number][] | null;
}
export interface Found {
  clips: FoundClip[];
  next: string | null;
  notes: readonly string[];
}

export const PAGE = 48;
const FACETS = ["campaign", "trigger", "state", "label", "tag", "damage", "place_cell_5"] as const;
/** Attributes of vehicles that have facets, if clips have them; then the first others, up to this many. */
const ATTRIBUTES = ["vehicle.region", "vehicle.model"] as const;
const MOST_ATTRIBUTES = 4;
export const HISTOGRAM = "recorded";

/** The properties to count by: the usual ones, and some of the attributes that clips have. */
export function facetsOf(attributes: readonly string[]): string[] {
  const rank = (name: string) => (ATTRIBUTES.includes(name as (typeof ATTRIBUTES)[number]) ? 0 : 1);
  const first = [...attributes].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, MOST_ATTRIBUTES);
  return [...FACETS.slice(0, 2), ...first, ...FACETS.slice(2)];
}

/** A page of clips, with their pictures and tracks. */
export function search(filter: string | null, sortby: string, token: string | null, signal: AbortSignal): Promise<Found> {
  return searches.take(signal, async () => {
    const page = await api.get("/v1/clips", { query: { filter, sortby, limit: PAGE, token } });
    const items = await itemsOf(page.clips.map((clip) => clip.id));
    return found(page, items);
  });
}

function found(page: Answer<"/v1/clips">, items: Map<string, Item>): Found {
  return { clips: page.clips.map((clip) => ({ clip, ...shownOf(items.get(clip.id)) })), next: page.next, notes: page.notes ?? [] };
}

/** How many clips there are, and how they are spread over values and over time; `attributes` are those that clips have. */
export function spread(filter: string | null, attributes: readonly string[], signal: AbortSignal): Promise<Facets> {
  const by = [...facetsOf(attributes).map((name) => `${named(name)}:12`), `${HISTOGRAM}:60`].join(",");
  return searches.take(signal, () => api.get("/v1/clips/facets", { query: { filter, by } }));
}

/** The members of a STAC item that are asked for; the schema of the standard leaves them open. */
interface Item {
  id: string;
  geometry?: unknown;
  assets?: Record<string, { href: string; roles?: string[] }>;
}

async function itemsOf(ids: readonly string[]): Promise<Map<string, Item>> {
  if (ids.length === 0) return new Map();
  const fields = { include: ["id", "geometry", "assets"] };
  const collection = await api.post("/stac/search", { body: { ids: [...ids], limit: ids.length, fields } });
  return new Map((collection.features as unknown as Item[]).map((item) => [item.id, item]));
}

function shownOf(item: Item | undefined): Pick<FoundClip, "thumbnail" | "track"> {
  const thumbnail = Object.values(item?.assets ?? {}).find((asset) => asset.roles?.includes("thumbnail"));
  return { thumbnail: thumbnail?.href ?? null, track: trackOf(item?.geometry) };
}

/** The positions of a GeoJSON point or line; of an area, its corners. */
export function trackOf(geometry: unknown): [number, number][] | null {
  if (typeof geometry !== "object" || geometry === null || !("type" in geometry) || !("coordinates" in geometry)) return null;
  const { type, coordinates } = geometry as { type: string; coordinates: unknown };
  if (type === "Point") return [coordinates as [number, number]];
  if (type === "LineString") return coordinates as [number, number][];
  if (type === "MultiLineString" || type === "Polygon") return (coordinates as [number, number][][]).flat();
  return null;
}
