// ASAM OpenLABEL 1.0.0 as far as it is drawn: elements with their frames, and boxes of objects in pictures.
import type { Schemas } from "../../../../api/types";

export type LabelDocument = Schemas["LabelView"];
export const PARTS = ["objects", "actions", "events", "contexts"] as const;
export type Part = (typeof PARTS)[number];

export interface FrameInterval {
  frame_start?: number;
  frame_end?: number;
}
export interface Datum {
  name?: string;
  val?: unknown;
  coordinate_system?: string;
}
export interface ObjectData {
  bbox?: Datum[];
  rbbox?: Datum[];
}
export interface Element {
  name?: string;
  type?: string;
  frame_intervals?: FrameInterval[];
  coordinate_system?: string;
  object_data?: ObjectData;
}
export interface Frame {
  frame_properties?: { timestamp?: string | number };
  objects?: Record<string, { object_data?: ObjectData }>;
  actions?: Record<string, unknown>;
  events?: Record<string, unknown>;
  contexts?: Record<string, unknown>;
}
interface Pinhole {
  width_px?: number;
  height_px?: number;
}
export interface Root extends Partial<Record<Part, Record<string, Element>>> {
  metadata?: { schema_version?: string; annotator?: string; comment?: string };
  frames?: Record<string, Frame>;
  frame_intervals?: FrameInterval[];
  streams?: Record<string, { stream_properties?: { intrinsics_pinhole?: Pinhole } }>;
}

/** What is within `openlabel`; empty where a document has nothing of it. */
export function rootOf(document: LabelDocument): Root {
  const root = (document.openlabel as { openlabel?: Root }).openlabel;
  return root ?? {};
}

/** The frames of a document that say something of their own, by number, in order. */
export function framesOf(root: Root): [number, Frame][] {
  return Object.entries(root.frames ?? {})
    .map(([number, frame]): [number, Frame] => [Number(number), frame])
    .sort(([a], [b]) => a - b);
}

/** The width and height of a camera's pictures in pixels, where the document says them. */
export function pictureSizeOf(root: Root, camera: string): { width: number; height: number } | null {
  const pinhole = root.streams?.[camera]?.stream_properties?.intrinsics_pinhole;
  return pinhole?.width_px && pinhole.height_px ? { width: pinhole.width_px, height: pinhole.height_px } : null;
}
