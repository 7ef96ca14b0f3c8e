import { describe, expect, it } from "vitest";
import { isUnavailable } from "#platform/unavailable";

describe("what a caller may try again", () => {
  it.each([
    ["a Durable Object that is overloaded", Object.assign(new Error("busy"), { overloaded: true })],
    ["a Durable Object that moved", Object.assign(new Error("moved"), { retryable: true })],
    [
      "D1 that is away, wrapped by the query builder",
      new Error("Failed query", { cause: new Error("D1_ERROR: Network connection lost.") }),
    ],
  ])("is told so of %s", (_what, error) => {
    expect(isUnavailable(error)).toBe(true);
  });

  it.each([
    ["rows that D1 refuses", new Error("D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT")],
    ["a bug", new TypeError("undefined is not a function")],
    ["an object that says it is not retryable", Object.assign(new Error("no"), { retryable: false, overloaded: false })],
    ["something that is no error", "D1_ERROR"],
  ])("is not told so of %s", (_what, error) => {
    expect(isUnavailable(error)).toBe(false);
  });
});
