// The cameras of a clip: those whose pictures can be played, and why the others' cannot.
import type { Schemas } from "../../../api/types";

type Details = Schemas["ClipDetailsView"];
export interface Video {
  camera: string;
  href: string;
  /** When its first picture is, in s after the clip's start. */
  offsetS: number;
}
export interface Missing {
  camera: string;
  why: string;
}

/** The previews of a clip, in the order of its cameras, and what is known of cameras without one. */
export function camerasOf(details: Details, link: (address: string) => string): { videos: Video[]; missing: Missing[] } {
  const videos: Video[] = [];
  const missing: Missing[] = [];
  for (const [index, { name, preview, offset_ns }] of details.cameras.entries()) {
    const asset = details.assets.find((each) => each.name === preview);
    if (asset) videos.push({ camera: name, href: link(asset.href), offsetS: (offset_ns ?? 0) / 1e9 });
    else missing.push({ camera: name, why: whyMissing(details, name, index) });
  }
  return { videos, missing };
}

function whyMissing(details: Details, camera: string, index: number): string {
  const withheld = details.withheld?.find((part) => part.name === (index === 0 ? "preview" : `preview.${camera}`));
  if (withheld) return `It is withheld: ${withheld.reason}. ${withheld.remedy}`;
  if (details.state === "stored") return "Its pictures are being extracted.";
  const remark = details.remarks.find((each) => isAbout(each.message, camera)) ?? details.remarks.find((each) => each.damages);
  return remark ? `${remark.message}. ${remark.remedy}` : "The recording has no pictures of it.";
}

/** Whether a remark of the extraction names this camera, and not one whose name only begins with its. */
function isAbout(message: string, camera: string): boolean {
  return [`camera ${camera}`, `preview.${camera}`].some((words) => {
    const at = message.indexOf(words);
    return at !== -1 && !/[\w.-]/.test(message.charAt(at + words.length));
  });
}

/** What is said where a clip has no camera that can be played. */
export function withoutVideos(details: Details): string {
  if (details.state === "stored") return "Its pictures and signals are being extracted; the page follows.";
  return details.cameras.length === 0 ? "The recording has no cameras." : "None of its cameras can be played.";
}
