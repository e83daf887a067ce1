// What is offered at places of a trigger file, where they are, and what is told about them.
import { describe, expect, it } from "vitest";
import { explained, type Let, type Program } from "./explanation";
import { offersAt, restOf, type Offer, type Vocabulary } from "./offers";
import { reading, roomFor } from "./places";

const signal = (name: string, type: "number" | "bool" | "text", unit = "", values: string[] = []) => ({
  name,
  type,
  unit,
  rate: 50,
  values,
  describe: "",
});
const word = (text: string, kind: Vocabulary["words"][number]["kind"], form = text) => ({
  text,
  kind,
  forms: [form],
  summary: `About ${text}.`,
});
const VOCABULARY: Vocabulary = {
  digest: "",
  words: [
    ...["let", "trigger", "campaign"].map((text) => word(text, "block")),
    ...["when", "cooldown"].map((text) => word(text, "trigger clause")),
    ...["collect", "budget"].map((text) => word(text, "campaign clause")),
    word("signals", "capture clause"),
    ...["and", "not", "for"].map((text) => word(text, "operator")),
    word("max", "function", "max(x over 5 s)"),
    word("disagree", "function"),
    word("inside", "function"),
  ],
  units: ["m", "s", "in"],
  signals: [signal("ego.speed", "number", "m/s"), signal("ego.gear", "text", "", ["P", "R"]), signal("wet", "bool")],
  objects: [
    {
      name: "tracked",
      max: 64,
      rate: 20,
      describe: "",
      fields: [
        { name: "id", type: "id", unit: "", values: [], describe: "" },
        { name: "kind", type: "text", unit: "", values: ["car", "truck"], describe: "" },
        { name: "x", type: "number", unit: "m", values: [], describe: "" },
      ],
    },
    {
      name: "seen.lights",
      max: 8,
      rate: 10,
      describe: "",
      fields: [
        { name: "light", type: "id", unit: "", values: [], describe: "" },
        { name: "far", type: "number", unit: "km", values: [], describe: "How far away it is." },
      ],
    },
  ],
  heads: ["cut_in.detected"],
  attributes: { region: "text" },
  cameras: ["front"],
};

/** What is offered at `|`, with what stands before it replaced. */
function offered(text: string, isAsked = true): { replaced: string; texts: string[] } | null {
  const at = text.indexOf("|");
  const whole = text.replace("|", "");
  const found = offersAt(whole, at, VOCABULARY, isAsked);
  return found && { replaced: whole.slice(found.from, at), texts: found.offers.map((offer) => offer.text) };
}

describe("an offer that is taken", () => {
  it("takes the place of the rest of its word, text or unit, and of nothing else", () => {
    const left = (kind: Offer["kind"], line: string) => {
      const at = line.indexOf("|");
      const text = line.replace("|", "");
      const from = offersAt(text, at, VOCABULARY, true)?.from ?? at;
      return text.slice(at + restOf(kind, text, from, at));
    };
    expect(left("signal", "when ego.sp|eed*2 > 3")).toBe("*2 > 3");
    expect(left("name", "signals eg|o.*, wet")).toBe(", wet");
    expect(left("unit", "when ego.speed > 30 k|m/h for 2 s")).toBe(" for 2 s");
    expect(left("value", 'trigger a { when ego.gear == "|P" or wet')).toBe(" or wet");
    expect(left("value", 'trigger a { when ego.gear == | or x == "R"')).toBe(' or x == "R"');
    expect(left("value", 'trigger a { when ego.gear == "|')).toBe("");
    expect(left("operator", "when |ego.speed > 3")).toBe("ego.speed > 3");
    expect(left("unit", "when ego.speed > 3 |and wet")).toBe("and wet");
    expect(left("value", 'trigger a { when ego.gear == "| or x == "R"')).toBe(' or x == "R"');
  });
});

describe("what is offered", () => {
  it.each([
    ["|", "", ["let", "trigger", "campaign"]],
    ["tri|", "tri", ["let", "trigger", "campaign"]],
    ["trigger a {\n    |\n}", "", ["when", "cooldown"]],
    ["trigger a { when wet co|", "co", ["when", "cooldown", "and", "for"]],
    ["campaign c {\n    bu|", "bu", ["collect", "budget"]],
    ["trigger cold { when wet }\ncampaign c { collect |", "", ["cold"]],
    ["campaign c { collect |\n}\ntrigger later { when wet }", "", ["later"]],
    ["campaign c { compare |", "", ["cut_in.detected"]],
    ["trigger a { when disagree(|", "", ["cut_in.detected"]],
    ["fence yard { (1, 2) }\ntrigger a { when inside(|", "", ["yard"]],
    [
      "trigger a { capture 1 s before, 1 s after { signals eg|",
      "eg",
      ["*", "ego.*", "seen.*", "ego.speed", "ego.gear", "wet", "tracked", "seen.lights"],
    ],
    ["trigger a { capture 1 s before, 1 s after { signals * |", "", ["signals"]],
    ["campaign c { target |", "", ["vehicle.region", "not"]],
    ['trigger a { when ego.gear == |', "", ['"P"', '"R"', "ego.speed", "ego.gear", "wet", "max", "disagree", "inside", "not"]],
    ["trigger a { when any(o in |", "", ["tracked", "seen.lights"]],
    ["trigger a { when min(o.x for o in tr|", "tr", ["tracked", "seen.lights"]],
    ["trigger a { when nearest(o in tracked by o.x).|", "", ["id", "kind", "x"]],
    ["trigger a {\n  when wet and nearest(o in seen.lights\n    by max(o.far over 2 s)\n  ).fa|\n}", "fa", ["light", "far"]],
    ['trigger a { when any(o in tracked where o.kind in ("|', '"', ['"car"', '"truck"']],
    ["trigger a { when any(o in tracked |", "", ["when", "cooldown", "and", "for"]],
    ['trigger a { when ego.gear in ("|', '"', ['"P"', '"R"']],
    ["let slow = ego.speed < 1 m/s\ntrigger a { when sl|", "sl", ["ego.speed", "ego.gear", "wet", "slow", "max", "disagree", "inside", "not"]],
  ])("at %s", (text, replaced, texts) => {
    expect(offered(text)).toEqual({ replaced, texts });
  });

  it("are units after a number, the signal's first, and never words of the language", () => {
    const { replaced, texts } = offered("trigger a { when ego.speed > 30 k|") ?? { replaced: "", texts: [] };
    expect(replaced).toBe("k");
    expect(texts.slice(0, 2)).toEqual(["m/s", "km/h"]);
    expect(texts).not.toContain("in");
    expect(offered("trigger a { when ego.speed > 30 km/|")?.replaced).toBe("km/");
  });

  it("are the fields of an object where it has a name, with their units after a number", () => {
    expect(offered("trigger a { when any(o in tracked where o.|")?.texts.slice(0, 3)).toEqual(["o.id", "o.kind", "o.x"]);
    expect(offered("trigger a { when any(o in tracked where o.x < 5 |")?.texts[0]).toBe("m");
    expect(offered("trigger a { when nearest(o in seen.lights by o.far).far < 5 |")?.texts[0]).toBe("km");
    expect(offered('trigger a { when nearest(o in tracked by o.x).kind == |')?.texts.slice(0, 2)).toEqual(['"car"', '"truck"']);
  });

  it("are the fields of the list that the innermost form is about, also in calls, and of none outside of forms", () => {
    const fields = (text: string) => offered(text)?.texts.filter((each) => each.startsWith("o."));
    const other = "let dark = count(o in seen.lights where o.far > 1 km) > 2\n";
    expect(fields(`${other}trigger a { when any(o in tracked where max(abs(o.|) over 1 s) > 3) }`)).toEqual(["o.id", "o.kind", "o.x"]);
    expect(fields(`${other}trigger a { when min(max(o.| over 1 s) for o in tracked) > 3 m }`)).toEqual(["o.id", "o.kind", "o.x"]);
    expect(fields(`${other}trigger a { when any(o in tracked) and |`)).toEqual([]);
    expect(fields(`${other}trigger a { when any(o in tracked\n}\ntrigger b { when |`)).toEqual([]);
    expect(fields(`${other}trigger a { when min(o.|`)).toEqual(["o.light", "o.far"]);
  });

  it("are the fields of an argument that an object is given for, of the lists that the calls of its let name", () => {
    const fields = (text: string) => offered(text)?.texts.filter((each) => each.startsWith("o."));
    const ahead = "let ahead(o, far) = o.|\n";
    const near = "trigger a { when any(p in tracked where ahead(p, 3 m)) }";
    expect(fields(`${ahead}${near}`)).toEqual(["o.id", "o.kind", "o.x"]);
    expect(fields(`${ahead}trigger a { when ahead(nearest(l in seen.lights by l.far), 3 m) }`)).toEqual(["o.light", "o.far"]);
    expect(fields(`${ahead}let other(p) = ahead(p, 1 m)\n${near.replace("ahead", "other")}`)).toEqual(["o.id", "o.kind", "o.x"]);
    expect(fields(`${ahead}trigger a { when ahead(ego.speed, 3 m) }`)).toEqual([]);
    expect(fields("let ahead(o) = ahead(o) and o.|")).toEqual(["o.id", "o.kind", "o.x", "o.light", "o.far"]);
    expect(fields("let one = wet\nlet ahead(o) = wet\ntrigger a { when o.|")).toEqual([]);
  });

  it("are the fields of the objects of a list that an argument stands for, and of all lists where no call says which", () => {
    const text = "let near(list) = any(o in list where o.|";
    expect(offered(`${text})\ntrigger a { when near(seen.lights) }`)?.texts.slice(0, 3)).toEqual(["list", "o.light", "o.far"]);
    expect(offered(text)?.texts.slice(1, 6)).toEqual(["o.id", "o.kind", "o.x", "o.light", "o.far"]);
    expect(offered("let near(list) = any(o in |")?.texts).toEqual(["list", "tracked", "seen.lights"]);
    expect(offered("let near(list) = nearest(o in list by 1).|")?.texts).toEqual(["id", "kind", "x", "light", "far"]);
  });

  it("are what imported files define, as it is written where one is, and the fields of what is given to their lets", () => {
    const whole = (main: string, imported: string) =>
      `import "common.trigger" as c\n${main}\nfile "common.trigger" {\n${imported}\n}`;
    const inner = 'let wide = wet\nparam far = 3 m\nset rare = ("P")\nfence yard { (1, 2) }\ntrigger inner { when wet }';
    expect(offered(whole("let own = wet\ntrigger a { when |\n}", inner))?.texts.slice(3, 6)).toEqual(["own", "c.wide", "c.far"]);
    expect(offered(whole("trigger a { when ego.gear in |\n}", inner))?.texts).toEqual(["c.rare"]);
    expect(offered(whole("trigger a { when inside(|\n}", inner))?.texts).toEqual(["c.yard"]);
    expect(offered(whole("campaign a { collect |\n}", inner))).toBeNull();
    expect(offered(whole("let own = wet", "let wide = |"))?.texts).not.toContain("own");
    const given = "trigger a { when any(l in seen.lights where c.near(l)) }";
    const fields = (text: string) => offered(text)?.texts.filter((each) => each.startsWith("o."));
    expect(fields(whole(given, "let near(o) = o.|"))).toEqual(["o.light", "o.far"]);
    expect(fields(whole(given.replace("c.", ""), "let near(o) = o.|"))).toEqual(["o.id", "o.kind", "o.x", "o.light", "o.far"]);
    const nested = 'import "b/x" as d\nfile "b/x" {\nimport "y" as e\nlet f = |\n}\nfile "b/y" { let g = wet }';
    expect(offered(nested)?.texts.slice(3, 5)).toEqual(["f", "e.g"]);
  });

  it.each([
    ["trigger a { when ego.speed outside |", ["yellow", "red"]],
    ["trigger a { when changed(ego.gear) from |", ['"P"', '"R"']],
    ["param hold = 3 s\ntrigger a { when wet cooldown |", ["hold"]],
    ["campaign c { compare events cut_in.detected with |", ["wet"]],
  ])("are what may stand after a word, at %s", (text, texts) => {
    expect(offered(text)?.texts.slice(0, texts.length)).toEqual(texts);
  });

  it("are the arguments of a let in it, and nowhere else", () => {
    expect(offered("let held(p, d) = |")?.texts.slice(0, 2)).toEqual(["p", "d"]);
    expect(offered("let held(p, d) = p for d\ntrigger a { when |")?.texts).not.toContain("p");
  });

  it("is no field after a bracket that gives no object", () => {
    expect(offered("trigger a { when max(1, 2).|")).toBeNull();
    expect(offered("trigger a { when any(o in tracked where wet).|")).toBeNull();
  });

  it.each(["# comment |", "trigger |", 'trigger a { describe "some |', "trigger a { when ego.speed > 3|"])(
    "is nothing at %s",
    (text) => {
      expect(offered(text, false)).toBeNull();
    },
  );
});

it("tells names of a file from keywords by where they stand", () => {
  const text = "let priority = wet\ntrigger when { when priority }\ncampaign one { collect when priority 3 }\ncampaign two {";
  expect(reading(text, text.length)).toMatchObject({
    place: { block: "campaign" },
    lets: ["priority"],
    triggers: ["when"],
    campaigns: ["one", "two"],
  });
  const open = "trigger a {\n    when wet\n\ncampaign b {\n    ";
  expect(reading(open, open.length).place.block).toBe("campaign");
});

it("finds where a clause can be added to a campaign, and which it has", () => {
  const text = "campaign one { collect a }\ncampaign two {\n    collect b\n    budget 1 GB total\n}\n";
  expect(roomFor(text, "one")).toEqual({ at: text.indexOf("}"), isOnItsLine: false, clauses: ["collect"] });
  expect(roomFor(text, "two")).toEqual({ at: text.lastIndexOf("}"), isOnItsLine: true, clauses: ["collect", "budget"] });
  expect(roomFor(text, "three")).toBeNull();
  expect(roomFor("campaign open {\n collect a\n", "open")).toBeNull();
});

describe("what is told about a place", () => {
  const text = "trigger a { when ego.speed > 3 m/s for 2 s }";
  const operator = (written: string, most: number) => ({
    text: written,
    line: 1,
    column: text.indexOf(written) + 1,
    end_line: 1,
    end_column: text.indexOf(written) + written.length + 1,
    operations_per_tick: { least: 2, most },
    burst_operations: 0,
    state_bytes: 8,
    triggers: ["a"],
  });
  const programs = [
    { campaign: null, operators: [operator("ego.speed > 3 m/s for 2 s", 30), operator("ego.speed > 3 m/s", 5)] },
  ] as unknown as Program[];
  const told = (at: number) => explained(text, at, { line: 1, column: at + 1 }, VOCABULARY, programs, []);

  it("is a signal's type, unit and rate, and the cost of the innermost operator", () => {
    expect(told(text.indexOf("speed"))).toMatchObject({
      title: "ego.speed",
      lines: ["number, m/s, 50 Hz", "ego.speed > 3 m/s: 2 to 5 operations per tick, 8 bytes of state"],
    });
  });
  it("is what a word means, with the operator that it makes", () => {
    const lines = ["About for.", "ego.speed > 3 m/s for 2 s: 2 to 30 operations per tick, 8 bytes of state"];
    expect(told(text.indexOf("for"))).toMatchObject({ title: "for", lines });
  });
  it("is a let's type, unit, value and cost, and not what has its name elsewhere", () => {
    const cost = { operations_per_tick: { least: 2, most: 9 }, state_bytes: 16 };
    const lets: Let[] = [
      { name: "change", type: "number", unit: "m/s", text: "delta(ego.speed over 1 s)", ...cost },
      { name: "wet", type: "bool", unit: "", text: "ego.speed > 1 m/s", operations_per_tick: null, state_bytes: null },
    ];
    const about = (line: string, at: number) => explained(line, at, { line: 1, column: at + 1 }, VOCABULARY, [], lets);
    expect(about("let change = 1", 5)).toMatchObject({
      from: 4,
      to: 10,
      title: "change",
      lines: ["let: number, m/s", "= delta(ego.speed over 1 s)", "2 to 9 operations per tick, 16 bytes of state, with all that it stands on"],
    });
    expect(about("when wet", 6)?.lines).toEqual(["let: bool", "= ego.speed > 1 m/s"]);
    expect(about("trigger change {", 9)).toBeNull();
  });
  it("is a field's type, unit and list, or an object's list, wherever in the file the form begins", () => {
    const lines = ["trigger a { when nearest(o in seen.lights", "  by max(o.far over 1 s)).far > 3 km }"];
    const file = { text: lines.join("\n"), lineFrom: (lines[0] ?? "").length + 1 };
    const second = lines[1] ?? "";
    const about = (at: number) => explained(second, at, { line: 2, column: at + 1 }, VOCABULARY, [], [], () => file);
    const said = ["number, km, 10 Hz", "a field of the objects of seen.lights", "How far away it is."];
    expect(about(second.indexOf("o.far"))).toMatchObject({ title: "o.far", lines: said });
    expect(about(second.indexOf(").far") + 1)).toMatchObject({ title: ".far", lines: said });
    const first = "when any(o in tracked where o.y < 3)";
    const told = (at: number) => explained(first, at, { line: 1, column: at + 1 }, VOCABULARY, [], []);
    expect(told(first.indexOf("o in"))?.lines[0]).toBe("an object of tracked");
    expect(told(first.indexOf("o.y"))).toBeNull();
  });
  it("is a field of an argument, of the lists that its let is given", () => {
    const text = "let ahead(o) = o.x > 3 m\ntrigger a { when any(p in tracked where ahead(p)) }";
    const line = text.split("\n")[0] ?? "";
    const about = (at: number) =>
      explained(line, at, { line: 1, column: at + 1 }, VOCABULARY, [], [], () => ({ text, lineFrom: 0 }));
    expect(about(line.indexOf("o.x"))?.lines[1]).toBe("a field of the objects of tracked");
    const alone = "let f(n) = n > 3";
    expect(explained(alone, alone.indexOf("n >"), { line: 1, column: 12 }, VOCABULARY, [], [])).toBeNull();
  });
  it("is nothing where nothing is known", () => {
    expect(told(text.indexOf("a {"))).toBeNull();
  });
});
