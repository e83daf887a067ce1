// Cameras without a preview say why, each by what is known of it.
import { expect, test } from "vitest";
import type { Schemas } from "../../../api/types";
import { camerasOf, withoutVideos } from "./cameras";

type Details = Schemas["ClipDetailsView"];
const camera = (name: string, preview: string | null, offset_ns: number | null = null) => ({ name, preview, offset_ns, width: null, height: null });
const remark = (message: string, damages = false) => ({ reason: "r", message, count: 1, damages, remedy: "Record it again." });
const asset = { name: "preview", href: "/v1/objects/x", media_type: "video/mp4", size_bytes: 1 };

function details(changes: Partial<Details>): Details {
  return { state: "ready", cameras: [], assets: [], remarks: [], withheld: [], ...changes } as unknown as Details;
}

test("a camera with a preview is played from when its first picture is", () => {
  const { videos, missing } = camerasOf(details({ cameras: [camera("front", "preview", 250_000_000)], assets: [asset] }), (href) => `/fleet${href}`);
  expect(videos).toEqual([{ camera: "front", href: "/fleet/v1/objects/x", offsetS: 0.25 }]);
  expect(missing).toEqual([]);
});

test("one without says what the extraction remarked about it and not about another", () => {
  const remarks = [remark("camera rear.left: no picture in 3 h264 frames"), remark("camera rear: 5 frames cannot be decoded")];
  const { missing } = camerasOf(details({ cameras: [camera("rear", null), camera("top", null)], remarks }), String);
  expect(missing).toEqual([
    { camera: "rear", why: "camera rear: 5 frames cannot be decoded. Record it again." },
    { camera: "top", why: "The recording has no pictures of it." },
  ]);
});

test("a damaged recording, a withheld file, and one that is being extracted are told", () => {
  const cameras = [camera("front", null), camera("rear", null)];
  const why = (changes: Partial<Details>) => camerasOf(details({ cameras, ...changes }), String).missing.map((each) => each.why);
  expect(why({ state: "damaged", remarks: [remark("the file ends too early", true)] })[0]).toBe("the file ends too early. Record it again.");
  const withheld = [{ name: "preview.rear", reason: "you see cells only", remedy: "Ask." }];
  expect(why({ withheld })).toEqual(["The recording has no pictures of it.", "It is withheld: you see cells only. Ask."]);
  expect(why({ state: "stored" })[0]).toBe("Its pictures are being extracted.");
  expect(withoutVideos(details({ state: "stored" }))).toContain("being extracted");
  expect([withoutVideos(details({})), withoutVideos(details({ cameras }))]).toEqual(["The recording has no cameras.", "None of its cameras can be played."]);
});
