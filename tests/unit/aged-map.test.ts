import { describe, expect, it } from "vitest";
import { AgedMap } from "#services/aged-map";

const LIMITS = { maxEntries: 2, freshForMs: 100, refreshForMs: 50, usableForMs: 300 };

describe("what an isolate remembers", () => {
  it("is given to everyone while it is fresh", () => {
    const map = new AgedMap<string>(LIMITS);
    map.store("a", "first", 1_000);
    expect([map.find("a", 1_000), map.find("a", 1_100), map.find("a", 999)]).toEqual(["first", "first", "first"]);
  });

  it("is refreshed by one caller while the others go on with it, and by another when that one never comes back", () => {
    const map = new AgedMap<string>(LIMITS);
    map.store("a", "first", 1_000);
    expect(map.find("a", 1_101)).toBeUndefined();
    expect(map.find("a", 1_102)).toBe("first");
    expect(map.find("a", 1_150)).toBe("first");
    expect(map.find("a", 1_151)).toBeUndefined();
  });

  it("is never given out once it is too old, not even while it is being refreshed", () => {
    const map = new AgedMap<string>(LIMITS);
    map.store("a", "first", 1_000);
    expect(map.find("a", 1_299)).toBeUndefined();
    expect(map.find("a", 1_300)).toBe("first");
    expect(map.find("a", 1_301)).toBeUndefined();
    expect(map.findUsable("a", 1_300)).toBe("first");
    expect(map.findUsable("a", 1_301)).toBeUndefined();
  });

  it("never grows past its limit, and loses what was stored longest ago", () => {
    const map = new AgedMap<string>(LIMITS);
    for (const key of ["a", "b", "a", "c"]) map.store(key, key, 1_000);
    expect([map.find("a", 1_000), map.find("b", 1_000), map.find("c", 1_000)]).toEqual(["a", undefined, "c"]);
  });

  it("tells whoever is reading that something was forgotten meanwhile", () => {
    const map = new AgedMap<string>(LIMITS);
    map.store("a", "first", 1_000);
    const { generation } = map;
    map.forget("a");
    expect(map.find("a", 1_000)).toBeUndefined();
    expect(map.generation).not.toBe(generation);
  });
});
