// Labels of an OpenLABEL document are drawn when and where it says, and nothing is drawn where it does not.
import { expect, test } from "vitest";
import type { Schemas } from "../../../../api/types";
import { keyed } from "../../../../components/table/table";
import { boxesAt, labelsOf, rowsOf, type ClipLabels } from "./labels";
import { secondsAfter } from "./times";

const START_MS = Date.UTC(2026, 0, 1);
const CLIP = { startMs: START_MS, durationS: 10 };
type Camera = Schemas["CameraView"];
const front: Camera = { name: "front", preview: "preview", offset_ns: 0, width: 1920, height: 1080 };
const rear: Camera = { name: "rear", preview: null, offset_ns: null, width: null, height: null };

function read(openlabel: object, cameras: Camera[] = [front]): ClipLabels {
  const document = { id: 1, job_id: 1, labeler: "ada", types: [], openlabel: { openlabel }, provenance: {}, created_at: "" };
  return labelsOf(document as unknown as Schemas["LabelView"], cameras, CLIP);
}
const stamped = (t: number) => ({ frame_properties: { timestamp: `${START_MS / 1000 + t}` } });

test("spans are those of the frames' times, also beyond the frames that have one", () => {
  const { labels, isTimeStated } = read({
    frames: { 0: stamped(0), 20: stamped(2) },
    actions: { 7: { name: "cut_0", type: "cut_in", frame_intervals: [{ frame_start: 5, frame_end: 15 }, { frame_start: 30, frame_end: 30 }] } },
  });
  expect(isTimeStated).toBe(true);
  const [label] = labels;
  expect([label?.id, label?.type, label?.isTimed]).toEqual(["actions/7", "cut_in", true]);
  expect(label?.spans.map((span) => span.map((t) => Number(t.toFixed(3))))).toEqual([[0.5, 1.5], [3, 3.1]]);
});

test("spans outside the clip are at its ends, and each has a row of its own in a table", () => {
  const intervals = [[-30, -20], [-20, -10], [5, 15], [200, 210], [300, 310]].map(([frame_start, frame_end]) => ({ frame_start, frame_end }));
  const { labels } = read({
    frames: { 0: stamped(0), 20: stamped(2) },
    actions: { 7: { name: "cut_0", type: "cut_in", frame_intervals: intervals } },
  });
  const spans = labels.flatMap((label) => label.spans);
  expect(spans.map((span) => span.map((t) => Number(t.toFixed(3))))).toEqual([[0, 0], [0, 0], [0.5, 1.5], [10, 10], [10, 10]]);
  expect(new Set(keyed(spans, ([from]) => from).map(({ id }) => id)).size).toBe(5);
});

test("without times the frames are spread over the clip, and that is told", () => {
  const { labels, isTimeStated } = read({
    frame_intervals: [{ frame_start: 0, frame_end: 100 }],
    events: { a: { name: "a", type: "t", frame_intervals: [{ frame_start: 50, frame_end: 100 }] } },
  });
  expect([isTimeStated, labels[0]?.spans]).toEqual([false, [[5, 10]]]);
});

test("an element without intervals is where frames name it, else all over the clip", () => {
  const { labels } = read({
    frames: { 0: { ...stamped(0), objects: { 1: {} } }, 1: { ...stamped(1), objects: { 1: {} } }, 3: { objects: { 1: {} } } },
    objects: { 1: { name: "o", type: "car" } },
    contexts: { 2: { name: "c", type: "rain" } },
  });
  expect(labels.map(({ type, spans, isTimed }) => [type, spans, isTimed])).toEqual([
    ["car", [[0, 1], [3, 4]], true],
    ["rain", [[0, 10]], false],
  ]);
  expect(rowsOf(labels).map((row) => row.title)).toEqual(["car", "rain"]);
});

test("a box is in its camera's picture from its frame until the next one", () => {
  const bbox = [{ name: "shape", val: [960, 540, 100, 50], coordinate_system: "front" }];
  const { pictures, unplaced } = read(
    {
      frames: {
        0: { ...stamped(0), objects: { 1: { object_data: { bbox } } } },
        10: { ...stamped(1), objects: { 1: { object_data: { rbbox: [{ name: "shape", val: [10, 20, 5, 5, Math.PI / 2] , coordinate_system: "front" }] } } } },
        20: { objects: { 1: { object_data: { bbox: [{ name: "shape", val: [1, 1, 2, 2], coordinate_system: "rear" }] } } } },
      },
      objects: { 1: { name: "o", type: "car" } },
    },
    [front, rear],
  );
  const picture = pictures.get("front");
  if (!picture) throw new Error("no picture of the front camera");
  expect([picture.width, picture.height]).toEqual([1920, 1080]);
  expect(boxesAt(picture, 0.4)).toEqual([{ id: "objects/1", title: "car o", x: 960, y: 540, width: 100, height: 50, degrees: 0 }]);
  expect(boxesAt(picture, 0.7)).toEqual([]);
  expect(boxesAt(picture, 1.2).map((box) => box.degrees)).toEqual([90]);
  expect([pictures.has("rear"), unplaced]).toEqual([false, 1]);
});

test("the size of pictures can come from the document, and what is no box is left out", () => {
  const { pictures, unplaced } = read(
    {
      streams: { rear: { stream_properties: { intrinsics_pinhole: { width_px: 640, height_px: 480 } } } },
      frames: { 0: { ...stamped(0), objects: { 1: { object_data: { bbox: [{ name: "a", val: [1, 2, "x", 4] }, { name: "b", val: [3, 4, 2, 2] }] } } } } },
      objects: { 1: { name: "o", type: "car" } },
    },
    [rear],
  );
  expect(pictures.get("rear")?.frames[0]?.boxes.length).toBe(1);
  expect(unplaced).toBe(0);
});

test("timestamps are told by their size, and texts of time are read", () => {
  const s = START_MS / 1000 + 1.5;
  expect([s, s * 1e3, s * 1e6, s * 1e9, `${s}`, "2026-01-01T00:00:01.5Z", 1.5].map((each) => Number(secondsAfter(each, START_MS)?.toFixed(3)))).toEqual(
    Array(7).fill(1.5),
  );
  expect([secondsAfter("soon", START_MS), secondsAfter(undefined, START_MS)]).toEqual([null, null]);
});

test("an empty document has nothing", () => {
  expect(read({}).labels).toEqual([]);
});
