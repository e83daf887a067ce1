// What format.ts promises: one form for each kind of value, and a dash for what is not known.
import { describe, expect, it } from "vitest";
import { ago, amount, amountPerDay, bytes, counted, day, duration, interval, money, number, percent, share, time } from "./format";

describe("format", () => {
  it("writes bytes in SI units, as budgets have them", () => {
    expect([0, 999, 1000, 1_500_000, 2e12, 3e18].map(bytes)).toEqual([
      "0 B", "999 B", "1.0 kB", "1.5 MB", "2.0 TB", "3000.0 PB",
    ]);
    expect([999.4, 999.6, 999_949, 999_950, -999_950].map(bytes)).toEqual(["999 B", "1.0 kB", "999.9 kB", "1.0 MB", "-1.0 MB"]);
  });
  it("writes amounts of budgets by what they count, and few clips per day not as none", () => {
    expect([amount("bytes", 2e6), amount("clips", 1234)]).toEqual(["2.0 MB", "1,234"]);
    expect([amountPerDay("bytes", 2e6), amountPerDay("clips", 0.338), amountPerDay("clips", null)]).toEqual(["2.0 MB", "0.338", "–"]);
  });
  it("writes the first digits of small numbers and all of large ones", () => {
    expect([0.012345, 99.96, 123.4, 1234.5, 12345.6, -12345.6].map((each) => number(each))).toEqual([
      "0.0123", "100", "123", "1,235", "12,346", "-12,346",
    ]);
    expect([number(1234.56, 4), number(12345.6, 4), number(0, 4)]).toEqual(["1,235", "12,346", "0"]);
  });
  it("writes durations in their two largest units", () => {
    expect([0, 1.234, 59.96, 60, 3900, 86400, 93_784, -5].map((each) => duration(each))).toEqual([
      "0 s", "1.23 s", "60 s", "1 min", "1 h 5 min", "1 d", "1 d 2 h", "-5 s",
    ]);
  });
  it("writes times in UTC, whether they come as text or as ns", () => {
    expect(time("2026-01-31T08:05:09.123+01:00")).toBe("2026-01-31 07:05:09");
    expect(time(1_769_846_709_000_000_000)).toBe("2026-01-31 08:05:09");
    expect(day("2026-01-31")).toBe("2026-01-31");
    expect(ago("2026-01-31T08:00:00Z", Date.parse("2026-01-31T08:05:00Z"))).toBe("5 min ago");
    expect(ago("2026-01-31T10:00:00Z", Date.parse("2026-01-31T08:00:00Z"))).toBe("in 2 h");
  });
  it("writes money with two digits, and with two significant ones below 1", () => {
    expect([money("1234.5", "EUR"), money("0.00123", "EUR"), money("0", "EUR")]).toEqual([
      "1,234.50 EUR", "0.0012 EUR", "0.00 EUR",
    ]);
  });
  it("writes estimates with their interval", () => {
    expect(interval(12.34, 9.081, 16.4)).toBe("12.3 (9.08 to 16.4)");
    expect(interval(12.3, 9.08, null)).toBe("12.3 (9.08 to no limit)");
  });
  it("has no share of what has no limit", () => {
    expect([share(5, 10), share(5, null), share(5, 0)]).toEqual([0.5, null, null]);
    expect([percent(0.125), percent(1), percent(null)]).toEqual(["12.5 %", "100 %", "–"]);
  });
  it("tells a small share from none, and nearly all from all", () => {
    expect([0, 0.0001, 0.0005, 0.9994, 0.9996, 1, 1.0001].map((each) => percent(each))).toEqual([
      "0 %", "<0.1 %", "0.1 %", "99.9 %", ">99.9 %", "100 %", "100 %",
    ]);
    expect([percent(0.004, 0), percent(0.996, 0), percent(1e-7, 3)]).toEqual(["<1 %", ">99 %", "<0.001 %"]);
  });
  it("writes a dash for what is not known", () => {
    expect([bytes(null), time("soon"), number(Number.NaN), money(null, "EUR"), duration(undefined)]).toEqual([
      "–", "–", "–", "–", "–",
    ]);
  });
  it("counts one and many", () => {
    expect([counted(1, "clip"), counted(2000, "clip"), counted(2, "entry", "entries")]).toEqual([
      "1 clip", "2,000 clips", "2 entries",
    ]);
  });
});
