import { describe, expect, it } from "vitest";
import { dayBefore, dayStart, filtersOf, isFiltered, queryOf } from "./filter-state";

const read = (text: string) => filtersOf(new URLSearchParams(text));

describe("filters in the address", () => {
  it("reads what is there and leaves out what is no day", () => {
    expect(read("q=+best+of+&streamer=hana&since=2026-02-30&until=2026-03-01")).toEqual({
      q: "best of",
      kind: "",
      label: "",
      streamer: "hana",
      since: "",
      until: "2026-03-01",
    });
    expect(isFiltered(read("page=2"))).toBe(false);
    expect(isFiltered(read("label=show:weekly"))).toBe(true);
  });
  it("asks for whole days of the reader's zone", () => {
    const query = queryOf(read("since=2026-03-01&until=2026-03-01"));
    expect(query.since).toBe(new Date(2026, 2, 1).toISOString());
    expect(query.until).toBe(new Date(2026, 2, 2).toISOString());
    expect(Object.keys(queryOf(read("")))).toEqual([]);
  });
  it("knows days", () => {
    expect(dayStart("2026-13-01")).toBeNull();
    expect(dayStart("yesterday")).toBeNull();
    expect(dayBefore(new Date(2026, 2, 3, 15), 7)).toBe("2026-02-24");
  });
});
