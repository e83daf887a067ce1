// Fires are marked once for each instant and trigger, in order of time.
import { expect, test } from "vitest";
import type { Schemas } from "../../../api/types";
import { instantsOf } from "./instants";

type Fire = Schemas["ClipDetailsView"]["fires"][number];
const fire = (campaign: string, trigger: string, fire_time: string) => ({ campaign, trigger, fire_time }) as Fire;

test("two campaigns that collect one trigger have one mark, and another trigger at that instant its own", () => {
  const at = "2026-01-05T12:00:02.5Z";
  const fires = [fire("braking", "brake", at), fire("lanes", "brake", at), fire("lanes", "cut_in", at), fire("lanes", "cut_in", "2026-01-05T12:00:01Z")];
  expect(instantsOf({ start: "2026-01-05T12:00:00Z", fires })).toEqual([
    { t: 1, title: "cut_in" },
    { t: 2.5, title: "brake" },
    { t: 2.5, title: "cut_in" },
  ]);
});
