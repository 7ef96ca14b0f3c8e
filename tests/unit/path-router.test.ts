import fc from "fast-check";
import { TrieRouter } from "hono/router/trie-router";
import type { Result, Router } from "hono/router";
import { describe, expect, it } from "vitest";
import { PathRouter } from "#http/path-router";

/** Adds the patterns, those without parameters first. */
function withPaths(router: Router<string>, patterns: readonly string[]): Router<string> {
  for (const pattern of patterns.toSorted((one, other) => Number(one.includes(":")) - Number(other.includes(":"))))
    router.add("ALL", pattern, pattern);
  return router;
}

/** The target that answers, and its parameters. */
function firstOf(result: Result<string>): { target: string; params: Record<string, string> } | undefined {
  const [first] = result[0];
  if (first === undefined) return undefined;
  const [target, found] = first;
  const stash = result[1];
  const params = Object.entries(found).map(([name, value]) => [name, typeof value === "number" ? stash?.[value] : value]);
  return { target, params: { ...Object.fromEntries(params) } };
}

function find(patterns: readonly string[], path: string): ReturnType<typeof firstOf> {
  return firstOf(withPaths(new PathRouter<string>(), patterns).match("GET", path));
}

const TICKET_PATHS = ["/tickets/:id", "/tickets/types", "/tickets/:id/proof", "/"];

describe("the path router", () => {
  it("takes a literal path before a parameter, in whatever order they were added", () => {
    const router = new PathRouter<string>();
    for (const path of TICKET_PATHS) router.add("ALL", path, path);
    expect(firstOf(router.match("GET", "/tickets/types"))).toEqual({ target: "/tickets/types", params: {} });
    expect(firstOf(router.match("GET", "/tickets/7"))).toEqual({ target: "/tickets/:id", params: { id: "7" } });
  });

  it("answers nothing to a path that is longer, shorter, in other letters, or lacks a parameter's value", () => {
    expect(find(TICKET_PATHS, "/tickets/7/proof")).toEqual({ target: "/tickets/:id/proof", params: { id: "7" } });
    for (const path of [
      "/tickets",
      "/tickets/",
      "/tickets//proof",
      "/Tickets/7",
      "/tickets/7/",
      "/tickets/7/proof/x",
      "tickets/7",
      "",
    ])
      expect(find(TICKET_PATHS, path), path).toBeUndefined();
  });

  it("does not take what objects inherit for a path", () => {
    for (const path of ["constructor", "__proto__", "/constructor"]) expect(find(TICKET_PATHS, path), path).toBeUndefined();
  });

  it("refuses a path for one method: the other methods of it would be nobody's", () => {
    expect(() => new PathRouter<string>().add("GET", "/tickets", "")).toThrow("all methods");
  });

  it("finds what Hono's own router finds, whatever the paths", () => {
    const pattern = fc.array(fc.constantFrom("a", "b", ":x", ":y", ":z"), { minLength: 1, maxLength: 4 });
    // A parameter stands once in a path.
    const unambiguous = pattern.filter((segments) => {
      const names = segments.filter((segment) => segment.startsWith(":"));
      return new Set(names).size === names.length;
    });
    const patterns = fc.uniqueArray(
      unambiguous.map((segments) => `/${segments.join("/")}`),
      { minLength: 1, maxLength: 12 },
    );
    const path = fc
      .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 5 })
      .map((segments) => `/${segments.join("/")}`);
    fc.assert(
      fc.property(patterns, path, (declared, asked) => {
        const theirs = withPaths(new TrieRouter<string>(), declared).match("GET", asked);
        expect(find(declared, asked)).toEqual(firstOf(theirs));
      }),
      { numRuns: 2_000 },
    );
  });
});
