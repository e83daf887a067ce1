// What map.ts promises: the first view has all tracks and little else, also where they are on both sides of 180 degrees.
import { expect, it } from "vitest";
import type { FoundClip } from "./found";
import { boundsOf, graticuleStep } from "./map";

const at = (...track: [number, number][]) => ({ track }) as unknown as FoundClip;

it("has all tracks within its bounds, and none for clips without a position", () => {
  expect(boundsOf([at([11.6, 48.2], [11.7, 48.1]), at([4.8, 45.8]), { track: null } as FoundClip])).toEqual([4.8, 45.8, 11.7, 48.2]);
  expect(boundsOf([at([11.6, 48.2])])).toEqual([11.6, 48.2, 11.6, 48.2]);
  expect(boundsOf([{ track: null } as FoundClip])).toBeNull();
});
it("goes the shorter way around the earth", () => {
  expect(boundsOf([at([179, -17], [-179, -18])])).toEqual([179, -18, 181, -17]);
  expect(boundsOf([at([-122, 37]), at([139, 35]), at([151, -33])])).toEqual([139, -33, 238, 37]);
  expect(boundsOf([at([-122, 37]), at([-74, 40]), at([11, 48])])).toEqual([-122, 37, 11, 48]);
});
it("takes more positions than a call takes arguments", () => {
  const track = Array.from({ length: 130_000 }, (_, index): [number, number] => [index / 1e5, 50 + index / 1e6]);
  expect(() => Math.min(...track.flat())).toThrow(RangeError);
  expect(boundsOf([{ track } as unknown as FoundClip])).toEqual([0, 50, 1.29999, 50.129999]);
});
it("has lines of a graticule close enough to tell where one is", () => {
  expect([graticuleStep(-180, 180), graticuleStep(-40, 60), graticuleStep(11, 11.1)]).toEqual([30, 10, 0.01]);
});
