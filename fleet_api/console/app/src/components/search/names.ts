// The names that a filter may use: the catalog's properties and functions, with what they mean.
import { api } from "../../api/client";
import { named } from "./named";
import type { Suggestion } from "./suggestions";

const WORDS: readonly Suggestion[] = [
  { text: "AND", detail: "both" },
  { text: "OR", detail: "one of them" },
  { text: "NOT", detail: "the opposite" },
  { text: "BETWEEN", detail: "x BETWEEN a AND b" },
  { text: "LIKE", detail: "text LIKE 'cut%'" },
  { text: "IS NULL", detail: "it has none" },
  { text: "now", detail: "start > now - 7 d" },
];
const STATISTICS = [
  ["max", "highest value"],
  ["min", "lowest value"],
  ["mean", "mean value"],
  ["samples", "number of samples"],
] as const;

export interface Names {
  /** What the search box offers, properties first. */
  suggestions: Suggestion[];
  /** The attributes of vehicles that clips have, such as `vehicle.model`. */
  attributes: string[];
}

export async function namesOf(signal: AbortSignal): Promise<Names> {
  const [known, functions] = await Promise.all([
    api.get("/v1/properties", { signal }),
    api.get("/v1/functions", { signal }),
  ]);
  const statistics = known.signals.flatMap(({ name, unit, indexed }) =>
    STATISTICS.map(([part, meaning]) => ({
      text: `${name}.${part}`,
      detail: `${meaning}${unit && part !== "samples" ? ` in ${unit}` : ""}${indexed ? ", indexed" : ""}`,
    })),
  );
  return {
    suggestions: [
      ...known.properties.map(({ name, description, unit }) => ({ text: name, detail: unit ? `${description} (${unit})` : description })),
      ...known.attributes.map((name) => ({ text: named(name), detail: "attribute of the vehicle" })),
      ...statistics,
      ...functions.functions.map(({ name, description }) => ({ text: `${name}(`, detail: description })),
      ...WORDS,
    ],
    attributes: known.attributes,
  };
}
